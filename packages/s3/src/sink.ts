/** The port: a folder of data files, in a bucket or on a disk, as a sink. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  defineSink,
  EosError,
  type MaintenanceOptions,
  type Columns,
  type PartitionId,
  type Position,
  type RowInput,
  type RowSchema,
  type SinkConnector,
  type SinkContext,
  type SinkDriver,
} from '@eos/core';
import type { OpenStore } from '@eos/object-store/place';
import { claimPartitions } from './claim.js';
import { compactTable } from './compaction/compact-table.js';
import { createDataFiles } from './files/data-files-writer.js';
import { openLog, type TablePlace } from './log/index.js';
import { scopeOf } from './log/state.js';
import { checkOptions, type S3SinkOptions, type Settings } from './options.js';
import { openSession } from './session.js';
import { readStatus } from './status.js';
import { tableEntry } from './table.js';
import { readTable } from './reader/snapshot.js';
import { vacuumTable } from './vacuum/vacuum-table.js';
import { checkUploadLifetime } from './visibility/lifetime.js';

/**
 * A folder of data files as a sink: all files of a commit and its position become visible in one entry of a log beside them.
 * @example
 * const sink = s3Sink({
 *   bucket: 'warehouse',
 *   prefix: 'flights',
 *   schema: rowSchema({ id: t.int64(), origin: t.string(), delay: t.int32().nullable() }),
 * });
 * @throws EOS_CONFIG, with the option's name
 */
export function s3Sink<C extends Columns>(options: S3SinkOptions<C>): SinkConnector<RowInput<RowSchema<C>>>;
export function s3Sink<Row = Record<string, unknown>>(options: S3SinkOptions): SinkConnector<Row>;
export function s3Sink<Row>(options: S3SinkOptions): SinkConnector<Row> {
  const settings = checkOptions(options);
  const { mode, key, place, prefix } = settings;
  return defineSink<Row>({
    description: `s3 ${place.description}${prefix === '' ? '' : ` ${prefix}`}`,
    capabilities: {
      changelog: mode,
      ...(mode === 'upsert' ? { key } : {}),
      atomic: 'transaction',
      staging: true,
      deadLetters: false,
      durable: true,
    },
    abilities: {
      status: (context) => readStatus(settings, context),
      readTable: (context, options) => readTable(settings, context, options),
      compact: (_context, options) =>
        maintain(settings, options, (place) => compactTable(place, settings, options)),
      vacuum: (_context, options) => maintain(settings, options, (place) => vacuumTable(place, options)),
    },
    connect: (context) => connect<Row>(settings, context),
  });
}

/** On a connection of its own, and on a store that compares: both commit an entry of the log. */
async function maintain<Report>(
  settings: Settings,
  { dryRun }: MaintenanceOptions,
  work: (place: TablePlace) => Promise<Report>,
): Promise<Report> {
  const opened = await settings.place.open();
  try {
    if (!dryRun) await opened.probe(settings.prefix, false);
    return await work({ store: opened.store, prefix: settings.prefix });
  } finally {
    await opened.close();
  }
}

/** How long `close` waits for a checkpoint that is being written, or a claim. */
const CLOSING_MS = 1_000;

async function connect<Row>(settings: Settings, context: SinkContext): Promise<SinkDriver<Row>> {
  const opened = await settings.place.open();
  try {
    return await openDriver<Row>(settings, context, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Whatever is wrong with options and table shows here. Nothing is made. */
async function openDriver<Row>(
  settings: Settings,
  context: SinkContext,
  opened: OpenStore,
): Promise<SinkDriver<Row>> {
  const { store } = opened;
  const { prefix } = settings;
  const place = { store, prefix };
  if (settings.visibility === 'listing') await checkUploadLifetime(store, prefix);
  const log = openLog(place);
  await log.refresh();
  if (log.state.table !== undefined) tableEntry(log.state, settings);
  else if (context.mustExist === true)
    throw new EosError('EOS_SCHEMA', `there is no table in ${settings.place.description} ${prefix}`);
  return {
    async positions(partitions) {
      await log.refresh();
      const records = log.state.records.get(scopeOf(context)) ?? new Map<PartitionId, never>();
      const wanted = [...records].filter(([name]) => partitions?.includes(name) ?? true);
      return new Map(wanted.map(([name, { position }]): [PartitionId, Position] => [name, position]));
    },
    async recover(claim) {
      await opened.probe(prefix, log.state.table === undefined);
      const positions = await claimPartitions(log, { ...claim, context, settings, place });
      return openSession<Row>({
        log,
        place,
        context,
        owner: claim.owner,
        positions,
        newFiles: (seen) =>
          createDataFiles<Row>(
            { store, prefix, seen, pending: settings.visibility === 'listing' },
            settings.files,
          ),
      });
    },
    async close() {
      // A request without an answer must not hold up the end: what is under way is ended with the store.
      await Promise.race([log.close(), delay(CLOSING_MS, undefined, { ref: false })]);
      await opened.close();
    },
  };
}
