/** Rows of the program's own: an array, or an iterable that can start at an offset. */
import { canonicalText } from '../canonical.js';
import type { ChangelogMode } from '../changelog.js';
import { parseOp, type OpName } from '../changes.js';
import { EosError } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Positions, SourceIdentity } from '../positions.js';
import type { Assignment, Source, SourceReader } from '../source.js';
import { ArrayReader } from './array-reader.js';
import { openEntries, type Entries } from './entry-reader.js';
import { locateByReading } from './locate.js';
import { unknownPartition } from './reader-errors.js';

interface IterableOptions {
  /** Name of the partition. Default `0`. */
  readonly name?: string;
  /** Which changes the rows carry. Default `append`; with `ops`, `retract`. */
  readonly changelog?: ChangelogMode;
  /**
   * What offsets count in. Give one that changes when the rows are others than those that an earlier run read, such as a version
   * or a file's name: the pipeline then stops, instead of reading on in the middle of them. Default: the name of the partition.
   */
  readonly identity?: SourceIdentity;
}

/** Rows of an array: the offset of each is its index. */
export interface ItemsOptions<Row> extends IterableOptions {
  readonly items: readonly Row[];
  /** One for each item; absent: all are `+I`. */
  readonly ops?: readonly OpName[];
}

/** Rows that come with their offsets. */
export interface EntriesOptions<Row> extends IterableOptions {
  /**
   * Starts at offset `from`, or at the beginning (null): earlier rows are dropped. Entries come one by one or, faster, in arrays;
   * their offsets ascend, with gaps or without. Called again after every recover.
   */
  readonly open: (from: bigint | null) => Entries<Row> | Promise<Entries<Row>>;
  /** Whether `open` gives the same rows at the same offsets again. False: what was read and not committed is lost. */
  readonly replayable: boolean;
}

/**
 * A source of rows that the program has or makes itself.
 * @throws EOS_CONFIG; its readers EOS_SOURCE_CHANGED, EOS_SOURCE_ORDER, EOS_SOURCE_FORMAT
 * @example
 * iterableSource({ items: [{ id: 1 }, { id: 2 }] });
 * iterableSource({ replayable: true, open: (from) => queryAfter(from ?? 0n) }); // yields { offset, row } or arrays of them
 */
export function iterableSource<Row>(options: ItemsOptions<Row> | EntriesOptions<Row>): Source<Row> {
  const { name = '0' } = options;
  if (name === '') throw new EosError('EOS_CONFIG', 'name must not be empty');
  const identity = options.identity ?? { kind: 'iterable', name };
  const kind = 'items' in options ? itemsKind(options, name, identity) : entriesKind(options, name, identity);
  const description = `iterable ${name}`;
  const assignment: Assignment<Row> = {
    partitions: [name],
    open: async (positions, signal) => await kind.open(startOf(positions, name, identity), signal),
  };
  const locate: Source<Row>['locate'] = async (partition, mark, { signal }) => {
    if (partition !== name) throw unknownPartition(description, partition);
    return await locateByReading(assignment, mark, signal);
  };
  return {
    description,
    changelog: kind.changelog,
    replayable: kind.replayable,
    async *assignments() {
      yield assignment;
    },
    ...(kind.replayable ? { locate } : {}),
  };
}

interface Kind<Row> {
  readonly changelog: ChangelogMode;
  readonly replayable: boolean;
  open(from: bigint | null, signal: AbortSignal): SourceReader<Row> | Promise<SourceReader<Row>>;
}

function itemsKind<Row>(
  options: ItemsOptions<Row>,
  partition: PartitionId,
  identity: SourceIdentity,
): Kind<Row> {
  const { items } = options;
  const ops = options.ops === undefined ? undefined : opBytes(options.ops, items.length);
  const changelog = options.changelog ?? (ops === undefined ? 'append' : 'retract');
  if (changelog === 'append' && ops?.some((op) => op !== 0) === true) {
    throw new EosError('EOS_CONFIG', `ops other than +I need changelog: 'upsert' or 'retract'`);
  }
  return {
    changelog,
    replayable: true,
    open(from, signal) {
      if ((from ?? 0n) > BigInt(items.length)) {
        throw changedError(
          partition,
          `it has ${items.length} items, fewer than the ${String(from)} that were read`,
        );
      }
      return new ArrayReader(items, ops, { partition, identity }, Number(from ?? 0n), signal);
    },
  };
}

function opBytes(names: readonly OpName[], count: number): Uint8Array {
  if (names.length !== count)
    throw new EosError('EOS_CONFIG', `${count} items need as many ops, not ${names.length}`);
  return Uint8Array.from(names, (name, index) => {
    const op = parseOp(name);
    if (op === undefined) throw new EosError('EOS_CONFIG', `ops[${index}] is no +I, -U, +U or -D`);
    return op;
  });
}

function entriesKind<Row>(
  options: EntriesOptions<Row>,
  partition: PartitionId,
  identity: SourceIdentity,
): Kind<Row> {
  const { open, replayable, changelog = 'append' } = options;
  return {
    changelog,
    replayable,
    open: async (from, signal) =>
      openEntries(await open(from), { partition, identity, changelog, from }, signal),
  };
}

/** @throws EOS_SOURCE_CHANGED where the stored offset counts in something else */
function startOf(positions: Positions, partition: PartitionId, identity: SourceIdentity): bigint | null {
  const position = positions.get(partition);
  if (position === undefined || position.offset === null) return null;
  const stored = position.source === null ? 'nothing' : canonicalText(position.source);
  const expected = canonicalText(identity);
  if (stored === expected) return position.offset;
  throw changedError(partition, `the stored offset counts in ${stored}, not in ${expected}`);
}

function changedError(partition: PartitionId, what: string): EosError {
  return new EosError(
    'EOS_SOURCE_CHANGED',
    `the iterable of partition ${partition} is not the one that was read: ${what}. Give it the rows it had, or start over under ` +
      `another pipeline id`,
    { details: { partition } },
  );
}
