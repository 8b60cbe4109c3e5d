/** The source once more, from its start to where a destination stands: what the destination must have got. */
import type { ChangelogMode } from '../changelog.js';
import { EosError } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Positions } from '../positions.js';
import type { Assignment, Source, SourceBatch, SourceContext, SourceReader } from '../source.js';
import { dropCommitted, sourceError, transformed, type FedBatch, type Transform } from './feed.js';

export interface ReplayOptions<In, Row> {
  readonly source: Source<In>;
  readonly transform: Transform<In, Row>;
  /** What the transform produces. */
  readonly changelog: ChangelogMode;
  /** Where the destination stands. The source judges whether it is the one that these offsets count in. */
  readonly positions: Positions;
  /** Where to end, by partition; others are left out. Default: the stored offsets. */
  readonly ends?: ReadonlyMap<PartitionId, bigint>;
  /** Where to begin, by partition. Default: the start. */
  readonly starts?: ReadonlyMap<PartitionId, bigint>;
  readonly context: SourceContext;
  /** Rows of a batch, at most: how batches are cut must not change what the transform makes of them. */
  readonly rows: number;
}

/**
 * Reads every partition from its start up to its end, and transforms the rows as the pipeline does. Claims nothing.
 * @throws EOS_SOURCE_CHANGED where the source is not the one that the positions count in, or does not reach them any more;
 *   EOS_TRANSFORM, and what the source throws
 */
export async function* replay<In, Row>(options: ReplayOptions<In, Row>): AsyncGenerator<FedBatch<Row>> {
  const { source, positions, context, ends = storedOffsets(positions) } = options;
  const left = new Set(ends.keys());
  if (left.size === 0) return;
  for await (const assignment of source.assignments(context)) {
    const wanted = assignment.partitions.filter((partition) => left.has(partition));
    if (wanted.length > 0) yield* replayAssignment(assignment, { ...options, ends }, new Set(wanted));
    for (const partition of wanted) left.delete(partition);
    if (left.size === 0) return;
  }
  const [partition = ''] = left;
  throw changed(source, partition, 'has a stored position, and is not there any more');
}

function storedOffsets(positions: Positions): ReadonlyMap<PartitionId, bigint> {
  const ends = new Map<PartitionId, bigint>();
  for (const [partition, { offset }] of positions) if (offset !== null) ends.set(partition, offset);
  return ends;
}

async function* replayAssignment<In, Row>(
  assignment: Assignment<In>,
  options: ReplayOptions<In, Row> & Required<Pick<ReplayOptions<In, Row>, 'ends'>>,
  left: Set<PartitionId>,
): AsyncGenerator<FedBatch<Row>> {
  const { source, transform, changelog, positions, starts, ends, context, rows } = options;
  await judge(assignment, positions, context.signal);
  const reader = await opened(assignment, new Map(), context.signal);
  // What lies before is dropped, also where a source repeats itself, as in a run.
  const seen = new Map<PartitionId, bigint>(starts);
  try {
    while (left.size > 0) {
      const read = await readFrom(reader, rows);
      if (read === undefined) break;
      const end = ends.get(read.partition);
      if (end === undefined || !left.has(read.partition)) continue;
      const batch = dropCommitted(read, seen.get(read.partition));
      if (batch === undefined) continue;
      seen.set(batch.partition, batch.next);
      if (batch.next >= end) left.delete(batch.partition);
      const committed = upTo(batch, end);
      if (committed.rows.length > 0) yield await transformed(committed, transform, changelog);
    }
  } finally {
    await reader.close();
  }
  const [partition] = left;
  if (partition !== undefined) throw changed(source, partition, 'ends before its stored position');
}

/** To open a reader at the stored positions makes the source judge whether it is the one that they count in. */
async function judge<In>(
  assignment: Assignment<In>,
  positions: Positions,
  signal: AbortSignal,
): Promise<void> {
  const reader = await opened(assignment, positions, signal);
  await reader.close();
}

async function opened<In>(
  assignment: Assignment<In>,
  positions: Positions,
  signal: AbortSignal,
): Promise<SourceReader<In>> {
  try {
    return await assignment.open(positions, signal);
  } catch (error) {
    throw sourceError(error);
  }
}

async function readFrom<In>(reader: SourceReader<In>, rows: number): Promise<SourceBatch<In> | undefined> {
  try {
    return await reader.read({ rows });
  } catch (error) {
    throw sourceError(error);
  }
}

/** The rows before `end`. */
function upTo<In>(batch: SourceBatch<In>, end: bigint): SourceBatch<In> {
  const { offsets } = batch;
  if ((offsets.at(-1) ?? -1n) < end) return batch;
  let count = 0;
  while ((offsets[count] ?? end) < end) count++;
  return {
    partition: batch.partition,
    rows: batch.rows.slice(0, count),
    offsets: offsets.subarray(0, count),
    ...(batch.ops === undefined ? {} : { ops: batch.ops.subarray(0, count) }),
    next: end,
    bytes: batch.bytes,
    identity: () => batch.identity(),
  };
}

function changed<In>({ description }: Source<In>, partition: PartitionId, problem: string): EosError {
  return new EosError('EOS_SOURCE_CHANGED', `partition ${partition} of ${description} ${problem}`, {
    details: { partition },
  });
}
