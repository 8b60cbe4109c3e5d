/** Where a pipeline stands: asked of its sinks and its source, claimed and made by nobody. */
import {
  EosError,
  isEosError,
  type PartitionId,
  type PartitionStatus,
  type Position,
  type SourceLag,
} from '@eos/core';
import type { LoadedPipeline } from '../configuration/load.js';

/** As `--json` prints it; numbers that may pass 2^53 are decimal strings, and what nobody knows is null. */
export interface PipelineStatus {
  readonly pipeline: string;
  readonly time: string;
  readonly source: string;
  readonly sinks: readonly SinkReport[];
  /** Why the source did not tell what is left. */
  readonly sourceError?: string;
}

export interface SinkReport {
  readonly sink: string;
  readonly description: string;
  readonly partitions: readonly PartitionReport[];
}

export interface PartitionReport {
  readonly partition: PartitionId;
  /** Null: nobody has claimed it. */
  readonly epoch: string | null;
  readonly offset: string | null;
  readonly owner: string | null;
  /** Whether the owner is connected now. */
  readonly connected: boolean | null;
  /** What offsets count, where the source tells. */
  readonly unit: 'bytes' | 'rows' | null;
  readonly lag: string | null;
  readonly committedAt: string | null;
  /** Units of the offset, and commits, a second, over the commits whose positions are kept. */
  readonly unitsPerSecond: number | null;
  readonly commitsPerSecond: number | null;
}

/**
 * @throws EOS_CONFIG for a sink that cannot tell, and what its `status` throws
 */
export async function collectStatus({ options, hide }: LoadedPipeline): Promise<PipelineStatus> {
  const { id, source, sinks } = options;
  const found: SinkReport[] = [];
  let sourceError: string | undefined;
  for (const [sink, { description, abilities }] of Object.entries(sinks)) {
    if (abilities?.status === undefined) {
      const message = `${sink} (${description}) cannot tell where it stands without being opened`;
      throw new EosError('EOS_CONFIG', message, { details: { sink } });
    }
    const status = await abilities.status({ pipeline: id, sink });
    const positions = new Map(
      [...status].map(([partition, { position }]): [string, Position] => [partition, position]),
    );
    const lag = await source.abilities?.lag?.(positions).catch((error: unknown) => {
      if (!isEosError(error)) throw error;
      sourceError = `${error.code}: ${hide(error.message)}`;
      return undefined;
    });
    const names = [...new Set([...status.keys(), ...(lag?.keys() ?? [])])].sort();
    const partitions = names.map((name) => reportOf(name, status.get(name), lag?.get(name)));
    found.push({ sink, description: hide(description), partitions });
  }
  const report = {
    pipeline: id,
    time: new Date().toISOString(),
    source: hide(source.description),
    sinks: found,
  };
  return sourceError === undefined ? report : { ...report, sourceError };
}

function reportOf(
  partition: PartitionId,
  status: PartitionStatus | undefined,
  lag: SourceLag | undefined,
): PartitionReport {
  const { position, committedAt, isConnected } = status ?? {};
  return {
    partition,
    epoch: text(position?.epoch),
    offset: text(position?.offset),
    owner: text(position?.owner),
    connected: isConnected ?? null,
    unit: lag?.unit ?? null,
    lag: text(lag?.behind),
    committedAt: committedAt?.toISOString() ?? null,
    ...ratesOf(status),
  };
}

function ratesOf(
  status: PartitionStatus | undefined,
): Pick<PartitionReport, 'unitsPerSecond' | 'commitsPerSecond'> {
  const { position, committedAt, earlier } = status ?? {};
  const milliseconds = (committedAt?.getTime() ?? NaN) - (earlier?.committedAt.getTime() ?? NaN);
  if (position === undefined || position.offset === null || earlier === undefined || !(milliseconds > 0)) {
    return { unitsPerSecond: null, commitsPerSecond: null };
  }
  const perSecond = (count: bigint) => Math.round((Number(count) / milliseconds) * 1_000_000) / 1000;
  return {
    unitsPerSecond: perSecond(position.offset - earlier.offset),
    commitsPerSecond: perSecond(position.epoch - earlier.epoch),
  };
}

function text(value: bigint | null | undefined): string | null {
  return value == null ? null : value.toString();
}
