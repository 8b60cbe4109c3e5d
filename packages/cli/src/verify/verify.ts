/** A destination held against its source, up to the position that it holds itself. */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  EosError,
  messageOf,
  type ChangelogMode,
  type PartitionId,
  type ReplayOptions,
  type SinkContext,
  type Source,
  type TableSnapshot,
  type Transform,
} from '@eos/core';
import { compare, type Comparison, type Progress } from './compare.js';
import { expectedLines, type LeftOut } from './expected-lines.js';
import { isSampleRepeatable } from './repeatable.js';
import type { Verdict, VerifyReport } from './report.js';
import type { Difference } from './row-groups.js';
import { byPlace, wrongRow } from './wrong-rows.js';

export interface VerifyOptions<In, Row> {
  readonly context: SinkContext;
  readonly source: Source<In>;
  readonly transform: Transform<In, Row>;
  /** What the transform produces. */
  readonly changelog: ChangelogMode;
  /** What the sink keeps. */
  readonly mode: ChangelogMode;
  /** The destination. Stays the caller's to close. */
  readonly snapshot: TableSnapshot;
  /** How many rows of each kind to name. Default 20. */
  readonly limit?: number;
  /** Offsets before which changes are not expected, by partition: they were not written by Eos, or the source does not have them any more. */
  readonly starts?: ReadonlyMap<PartitionId, bigint>;
  /** The destination held rows before Eos wrote to it: rows that the source does not have are then not foreign. Default: with `starts`. */
  readonly hasOlderRows?: boolean;
  /** Where temporary files go, of differing rows and, in `upsert` mode, of 37 bytes a change. Default: the system's folder for them. */
  readonly temporaryFolder?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** See `CompareOptions`. */
  readonly buckets?: number;
  readonly memoryBytes?: number;
}

/** Rows read at a time. Small enough that the place of a row is known well where the transform keeps no offsets. */
const ROWS_PER_READ = 1_000;

/**
 * Reads the source again up to the stored positions, and compares what should be there with what is. Reads only; the destination is
 * looked at as of the moment that the snapshot was taken. Memory, whatever the number of rows: 20 MB of sums, 16 MB of blocks to be written,
 * 64 MB of rows that are held against each other; in `upsert` mode 80 bytes a key of one file of 256 (100 million keys: 32 MB). On disk: the
 * rows in buckets that differ, and in `upsert` mode 37 bytes a change.
 * @throws EOS_SOURCE_CHANGED where the source is not the one that was read; EOS_TRANSFORM, and what source and destination throw
 */
export async function verify<In, Row>(options: VerifyOptions<In, Row>): Promise<VerifyReport> {
  const { context, source, snapshot, signal = new AbortController().signal } = options;
  if (!source.replayable) return unrepeatable(options, `${source.description} cannot be read again`);
  const replayed = {
    source,
    transform: options.transform,
    changelog: options.changelog,
    positions: snapshot.positions,
    context: { pipeline: context.pipeline, signal },
    rows: ROWS_PER_READ,
    ...(options.starts === undefined ? {} : { starts: options.starts }),
  };
  if (!(await isSampleRepeatable(replayed, snapshot))) return unrepeatable(options, UNREPEATABLE);
  const folder = await makeFolder(options.temporaryFolder ?? tmpdir());
  try {
    const { comparison, leftOut } = await compareAll(options, replayed, folder);
    if (!comparison.isRepeatable) return unrepeatable(options, UNREPEATABLE);
    return judged(options, comparison, leftOut);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** For its owner only: rows may lie there. */
async function makeFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, 'eos-verify-'));
  } catch (error) {
    throw new EosError('EOS_CONFIG', `the folder for temporary files: ${messageOf(error)}`, { cause: error });
  }
}

const UNREPEATABLE =
  'the transform (or the source) gave other rows when the same offsets were read again: it must depend on its batch alone, not on ' +
  'time, chance, where batches end, or what it is asked before';

async function compareAll<In, Row>(
  options: VerifyOptions<In, Row>,
  replayed: ReplayOptions<In, Row>,
  folder: string,
): Promise<{ comparison: Comparison; leftOut: LeftOut }> {
  const { snapshot, mode, limit = 20, buckets, memoryBytes, onProgress } = options;
  let leftOut: LeftOut = { rejected: 0, deadLetters: 0 };
  const comparison = await compare({
    expected: () => {
      leftOut = { rejected: 0, deadLetters: 0 };
      return expectedLines(replayed, snapshot, leftOut);
    },
    found: () => untilAborted(snapshot.rows(), replayed.context.signal),
    keyColumns: snapshot.keyColumns,
    isUpsert: mode === 'upsert',
    limit,
    folder,
    seed: randomInt(2 ** 31),
    ...(buckets === undefined ? {} : { buckets }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return { comparison, leftOut };
}

async function* untilAborted<T>(blocks: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  for await (const block of blocks) {
    if (signal.aborted) throw new EosError('EOS_ABORTED', 'the verification was stopped');
    yield block;
  }
}

const NO_COUNTS = { lost: 0, doubled: 0, changed: 0, foreign: 0 };

function unrepeatable<In, Row>(options: VerifyOptions<In, Row>, reason: string): VerifyReport {
  const nothing = { expected: 0, found: 0, counts: NO_COUNTS, unjudged: 0, rows: [] };
  return {
    ...head(options, 'unrepeatable'),
    ...nothing,
    notes: [`nothing can be said about the rows: ${reason}`],
  };
}

function judged<In, Row>(
  options: VerifyOptions<In, Row>,
  { counts: all, named, expected, found }: Comparison,
  leftOut: LeftOut,
): VerifyReport {
  const { snapshot } = options;
  const hasOlderRows = mayHoldOlderRows(options);
  const isUnjudged = (kind: Difference['kind']) =>
    hasOlderRows && (kind === 'foreign' || (kind === 'doubled' && snapshot.keyColumns === 0));
  const judgedCount = (kind: Difference['kind']) => (isUnjudged(kind) ? 0 : all[kind]);
  const counts = {
    lost: judgedCount('lost'),
    doubled: judgedCount('doubled'),
    changed: judgedCount('changed'),
    foreign: judgedCount('foreign'),
  };
  const wrong = counts.lost + counts.doubled + counts.changed + counts.foreign;
  const unjudged = all.lost + all.doubled + all.changed + all.foreign - wrong;
  const rows = named.filter(({ kind }) => !isUnjudged(kind)).sort(byPlace);
  return {
    ...head(options, wrong === 0 ? 'equal' : 'different'),
    expected,
    found,
    counts,
    unjudged,
    rows: rows.map((difference) => wrongRow(difference, snapshot)),
    notes: notesOf(options, leftOut, unjudged),
  };
}

function mayHoldOlderRows<In, Row>({
  starts,
  hasOlderRows = starts !== undefined,
}: VerifyOptions<In, Row>): boolean {
  return hasOlderRows;
}

function notesOf<In, Row>(
  options: VerifyOptions<In, Row>,
  { rejected, deadLetters }: LeftOut,
  unjudged: number,
): readonly string[] {
  const notes: string[] = [];
  const { snapshot, starts } = options;
  if ([...snapshot.positions.values()].every(({ offset }) => offset === null)) {
    notes.push('nothing was ever committed under this pipeline id and sink name: no row is expected');
  }
  if (starts !== undefined) {
    const places = [...starts].map(([partition, offset]) => `${partition} from ${offset} on`).join(', ');
    notes.push(`only part of the source was compared: ${places}`);
  }
  if (mayHoldOlderRows(options)) {
    notes.push(
      `${unjudged} rows found that are not expected: they may be older than what was compared, or foreign`,
    );
  }
  if (deadLetters > 0) notes.push(`${deadLetters} changes are dead letters, and not expected`);
  if (rejected > 0) notes.push(`${rejected} changes do not fit their columns, and are not expected`);
  return notes;
}

function head<In, Row>({ context, source, snapshot }: VerifyOptions<In, Row>, verdict: Verdict) {
  const positions: Record<string, string | null> = {};
  for (const [name, { offset }] of snapshot.positions) positions[name] = offset?.toString() ?? null;
  return {
    ...context,
    source: source.description,
    destination: snapshot.description,
    verdict,
    positions,
  };
}
