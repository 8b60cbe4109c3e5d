/**
 * What a pipeline tells while it runs, on `node:diagnostics_channel`: subscribe to a channel by its name. Where nobody has, an
 * event costs nothing.
 */
import { channel } from 'node:diagnostics_channel';
import type { EosError } from '../errors.js';
import type { Owner, PartitionId, TxId } from '../identifiers.js';
import type { Positions } from '../positions.js';

interface Common {
  readonly pipeline: string;
  readonly sink: string;
}

/** Every channel with the message that it carries. */
export interface PipelineEvents {
  /** The sink was claimed; `positions` is where reading starts. */
  'eos:claim': Common & { readonly owner: Owner; readonly positions: Positions };
  /** A commit was acknowledged. `rows` counts source rows, `written` what the transform made of them, `rejected` what of that the sink set aside. */
  'eos:commit': Common & {
    readonly txId: TxId;
    readonly positions: Positions;
    readonly rows: number;
    readonly written: number;
    readonly rejected: number;
    readonly milliseconds: number;
  };
  /** The commit before set this many bad rows aside, as dead letters or skipped; `examples` says why, for the first few. */
  'eos:reject': Common & {
    readonly txId: TxId;
    readonly rows: number;
    readonly examples: readonly EosError[];
  };
  /** A lost answer was settled by recover and txId (law 3). */
  'eos:settle': Common & {
    readonly txId: TxId;
    readonly outcomes: ReadonlyMap<PartitionId, 'committed' | 'aborted'>;
  };
  /** Another session claimed a partition (law 4): this run ends where `isOver`, else it asks its group what to read now. */
  'eos:fence': Common & { readonly error: EosError; readonly isOver: boolean };
  /** The destination went back; reading starts again there (law 5). */
  'eos:regress': Common & {
    readonly partition: PartitionId;
    readonly expected: bigint;
    readonly found: bigint;
  };
  /** Something failed and is tried again after `delay` milliseconds. */
  'eos:retry': Common & { readonly error: EosError; readonly attempt: number; readonly delay: number };
}

type EventName = keyof PipelineEvents;
type Body<Name extends EventName> = Omit<PipelineEvents[Name], keyof Common>;

/** Publishes the events of one pipeline and sink. The message is made only where somebody listens. */
export type Publish = <Name extends EventName>(name: Name, body: () => Body<Name>) => void;

export function publisher(pipeline: string, sink: string): Publish {
  return (name, body) => {
    const target = channel(name);
    if (target.hasSubscribers) target.publish({ pipeline, sink, ...body() });
  };
}
