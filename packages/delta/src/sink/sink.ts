/** The port: a Delta table as a sink. */
import {
  defineSink,
  EosError,
  type Claim,
  type Columns,
  type PartitionId,
  type Positions,
  type RowInput,
  type RowSchema,
  type SinkConnector,
  type SinkContext,
  type SinkDriver,
} from '@eos/core';
import { DeltaLog } from '../log/delta-log.js';
import { checkOptions, type DeltaSinkOptions, type Settings } from '../options.js';
import { readRecords } from '../positions/records.js';
import { appendWriter } from './append-writer.js';
import { checkTable, claimPartitions, type Claimed } from './claim.js';
import { TableSession, type BeginWriter } from './session.js';
import { readStatus } from './status.js';
import { planTableColumns } from './table-columns.js';

/**
 * A Delta table as a sink: a version of the table has rows and positions together.
 * @example
 * const sink = deltaSink({
 *   store: localObjectStore({ root: 'warehouse' }),
 *   path: 'flights',
 *   schema: rowSchema({ id: t.int64(), origin: t.string(), delay: t.int32().nullable() }),
 * });
 * @throws EOS_CONFIG, with the option's name
 */
export function deltaSink<C extends Columns>(
  options: DeltaSinkOptions<C> & { readonly schema: RowSchema<C> },
): SinkConnector<RowInput<RowSchema<C>>>;
export function deltaSink<Row = Record<string, unknown>>(options: DeltaSinkOptions): SinkConnector<Row>;
export function deltaSink<Row>(options: DeltaSinkOptions): SinkConnector<Row> {
  const settings = checkOptions(options);
  return defineSink<Row>({
    description: `delta ${settings.description}`,
    capabilities: {
      changelog: settings.mode,
      ...(settings.mode === 'upsert' ? { key: settings.key } : {}),
      atomic: 'transaction',
      staging: true,
      deadLetters: false,
      durable: true,
    },
    abilities: { status: (context) => readStatus(settings, context) },
    connect: (context) => connect<Row>(settings, context),
  });
}

async function connect<Row>(settings: Settings, context: SinkContext): Promise<SinkDriver<Row>> {
  const { store, place } = settings;
  const reader = new PositionReader(settings, context);
  // Whatever is wrong with options and table shows here. Nothing is made.
  const log = await DeltaLog.open(store, place);
  if (log.state.version >= 0) {
    checkTable(log.state.protocol, log.state.metadata, settings);
    planTableColumns(settings, log.state.metadata);
  }
  return {
    positions: (partitions) => reader.read(partitions),
    recover: (claim) => recover<Row>(settings, context, claim),
    close: async () => {},
  };
}

async function recover<Row>(
  settings: Settings,
  context: SinkContext,
  claim: Claim,
): Promise<TableSession<Row>> {
  const { store, place } = settings;
  const log = await DeltaLog.open(store, place);
  const claimed = await claimPartitions(log, settings, context, claim);
  return new TableSession<Row>(log, context, claimed, writerOf<Row>(settings, claimed));
}

/** How the mode gets rows into files. */
function writerOf<Row>({ mode, store, place, files }: Settings, { plan }: Claimed): BeginWriter<Row> {
  if (mode === 'append') return () => appendWriter<Row>({ store, place }, plan, files);
  throw new EosError('EOS_CONFIG', `mode: 'upsert' is not part of this version`, {
    details: { option: 'mode' },
  });
}

/** Reads positions by the tail of the log, one call after the other. */
class PositionReader {
  #log: DeltaLog | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: Settings,
    private readonly context: SinkContext,
  ) {}

  async read(partitions: readonly PartitionId[] | undefined): Promise<Positions> {
    const reading = this.#last.then(() => this.#read(partitions));
    this.#last = reading.catch(() => undefined);
    return await reading;
  }

  async #read(partitions: readonly PartitionId[] | undefined): Promise<Positions> {
    const { store, place } = this.settings;
    if (this.#log === undefined) this.#log = await DeltaLog.open(store, place);
    else await this.#log.refresh();
    const { state } = this.#log;
    if (state.version < 0) return new Map();
    return readRecords(state.transactions, this.context, state.metadata.id, partitions);
  }
}
