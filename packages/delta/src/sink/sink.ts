/** The port: a Delta table as a sink. */
import {
  defineSink,
  type Claim,
  type Columns,
  type RowInput,
  type RowSchema,
  type SinkConnector,
  type SinkContext,
  type SinkDriver,
} from '@eos/core';
import type { FilePlace } from '../files/data-file.js';
import { DeltaLog } from '../log/delta-log.js';
import { compactTable } from '../maintenance/compact.js';
import { vacuumTable } from '../maintenance/vacuum.js';
import { upsertWriters } from '../merge/upsert-writer.js';
import { checkOptions, type DeltaSinkOptions, type Settings } from '../options.js';
import { appendWriter } from './append-writer.js';
import { checkTable, claimPartitions, type Claimed } from './claim.js';
import { PositionReader } from './position-reader.js';
import { TableSession, type BeginWriter } from './session.js';
import { readStatus } from './status.js';
import { readSnapshot } from '../table/snapshot.js';
import { planTableColumns } from './table-columns.js';

/**
 * A Delta table as a sink: a version of the table has rows and positions together.
 * @example
 * const sink = deltaSink({
 *   folder: 'warehouse/flights',
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
    description: `delta ${settings.location.description}`,
    capabilities: {
      changelog: settings.mode,
      ...(settings.mode === 'upsert' ? { key: settings.key } : {}),
      atomic: 'transaction',
      staging: true,
      deadLetters: false,
      durable: true,
    },
    abilities: {
      status: (context) => readStatus(settings, context),
      readTable: (context, options) => readSnapshot(settings, context, options),
      compact: (_context, options) =>
        withStore(settings, (table) => compactTable(table, settings.files, options)),
      vacuum: (_context, options) => withStore(settings, (table) => vacuumTable(table, options)),
    },
    connect: (context) => connect<Row>(settings, context),
  });
}

/** Opens the store for one piece of work. */
async function withStore<T>({ location }: Settings, work: (table: FilePlace) => Promise<T>): Promise<T> {
  const opened = await location.store.open();
  try {
    return await work({ store: opened.store, place: location.place });
  } finally {
    await opened.close();
  }
}

async function connect<Row>(settings: Settings, context: SinkContext): Promise<SinkDriver<Row>> {
  const opened = await settings.location.store.open();
  const table = { store: opened.store, place: settings.location.place };
  let isNew: boolean;
  try {
    // Whatever is wrong with options and table shows here. Nothing is made.
    isNew = !(await checkFound(table, settings));
  } catch (error) {
    await opened.close();
    throw error;
  }
  const reader = new PositionReader(table, context);
  return {
    positions: (partitions) => reader.read(partitions),
    async recover(claim) {
      await opened.probe(table.place.prefix, isNew);
      return await recover<Row>(table, settings, context, claim);
    },
    close: () => opened.close(),
  };
}

/** @returns whether there is a table */
async function checkFound({ store, place }: FilePlace, settings: Settings): Promise<boolean> {
  const { state } = await DeltaLog.open(store, place);
  if (state.version < 0) return false;
  checkTable(state.protocol, state.metadata, settings);
  planTableColumns(settings, state.metadata);
  return true;
}

async function recover<Row>(
  table: FilePlace,
  settings: Settings,
  context: SinkContext,
  claim: Claim,
): Promise<TableSession<Row>> {
  const log = await DeltaLog.open(table.store, table.place);
  const claimed = await claimPartitions(log, settings, context, claim);
  return new TableSession<Row>(log, context, claimed, writerOf<Row>(table, settings, claimed));
}

/** How the mode gets rows into files. */
function writerOf<Row>(
  table: FilePlace,
  { mode, files: settings, key }: Pick<Settings, 'mode' | 'files' | 'key'>,
  { plan, protocol }: Claimed,
): BeginWriter<Row> {
  if (mode === 'append') return () => appendWriter<Row>(table, plan, settings);
  return upsertWriters<Row>({ place: table, plan, protocol, settings, key });
}
