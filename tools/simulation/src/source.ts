/** The source of the simulation: hands out its changelogs in batches that are cut differently at each read. */
import type { Assignment, Positions, ReadLimit, Source, SourceBatch, SourceReader } from '@eos/core';
import type { Change, PartitionLog, Row } from './changelog.js';
import type { Incarnation } from './incarnation.js';
import type { World } from './world.js';

/** The source as `process` reads it. */
export function simulatedSource(world: World, process: Incarnation): Source<Row> {
  const { mode, groups, logs, revocations } = world.plan;
  return {
    description: 'simulated changelog',
    changelog: mode,
    replayable: true,
    assignments: async function* () {
      for (let revocation = 0; revocation < revocations; revocation++) {
        process.assign(world.scheduler.step);
        yield revocable(
          world,
          process,
          world.random.pick([...groups, logs.map(({ partition }) => partition)]),
        );
      }
      for (const group of groups) yield* assigned(world, process, group);
    },
  };
}

/** One assignment, and again the same whenever a group is asked anew by a member that was fenced. */
function* assigned(
  world: World,
  process: Incarnation,
  group: readonly string[],
): Generator<Assignment<Row>, void> {
  for (let isOver = false; !isOver;) {
    isOver = true;
    process.assign(world.scheduler.step);
    const rejoin = () => {
      // Whoever claimed has settled the commit before it: what became of it may stay unknown here.
      process.wasInterrupted = true;
      world.note('rejoin');
      isOver = false;
    };
    yield { ...assignment(world, process, group), ...(world.plan.isGroup ? { rejoin } : {}) };
  }
}

function assignment(world: World, process: Incarnation, partitions: readonly string[]): Assignment<Row> {
  return {
    partitions,
    open: async (positions) => {
      const reader = new Reader(world, process, partitions, positions);
      await reader.open();
      return reader;
    },
  };
}

/** An assignment that is taken away some time after it was given. */
function revocable(world: World, process: Incarnation, partitions: readonly string[]): Assignment<Row> {
  const revoke = new AbortController();
  process.revocable.add(revoke);
  world.scheduler.after(
    world.random.integer(0, 200),
    () => {
      process.wasInterrupted = true;
      world.note('revocation');
      revoke.abort();
    },
    process,
  );
  return { ...assignment(world, process, partitions), revoked: revoke.signal };
}

interface Cursor {
  readonly log: PartitionLog;
  /** Where the next batch starts. */
  offset: number;
}

class Reader implements SourceReader<Row> {
  readonly #name: string;
  readonly #cursors: Cursor[];
  #isClosed = false;
  #endWait: (() => void) | undefined;

  constructor(
    private readonly world: World,
    private readonly process: Incarnation,
    partitions: readonly string[],
    positions: Positions,
  ) {
    this.#name = `${process.name} reader ${++process.readers}`;
    const { logs, source } = world.plan;
    this.#cursors = logs
      .filter(({ partition }) => partitions.includes(partition))
      .map((log) => ({ log, offset: this.#start(log, positions, source.startsEarlier) }));
  }

  async open(): Promise<void> {
    const { plan, random } = this.world;
    if (plan.source.openFails > 0) await this.#wait(random.integer(0, 3));
    if (this.#happens(plan.source.openFails)) throw new Error('the source cannot be opened');
    this.process.open.add(this.#name);
  }

  async read({ rows }: ReadLimit): Promise<SourceBatch<Row> | undefined> {
    const { random, plan } = this.world;
    if (this.#isClosed) this.world.violate(`${this.#name} was read after it was closed`);
    await this.#wait(this.#happens(plan.source.idles) ? random.integer(20, 200) : random.integer(0, 2));
    if (this.#happens(plan.source.readFails)) throw new Error('the source cannot be read');
    const unfinished = this.#cursors.filter(({ offset, log }) => offset < log.end);
    if (unfinished.length === 0) return undefined;
    const cursor = random.pick(unfinished);
    if (this.#happens(plan.source.repeats)) this.#goBack(cursor, random.integer(1, 4));
    return this.#batch(cursor, Math.min(rows, random.integer(1, 6)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.process.open.delete(this.#name);
    this.#endWait?.();
  }

  #start(log: PartitionLog, positions: Positions, earlier: number): number {
    const position = positions.get(log.partition);
    if (position?.offset === null || position?.offset === undefined) return 0;
    const offset = Number(position.offset);
    if (position.source?.['at'] !== String(offset)) {
      this.world.violate(`the position of ${log.partition} has the identity of another offset`);
    }
    const cursor = { log, offset };
    if (this.world.isStormy() && earlier > 0) this.#goBack(cursor, this.world.random.integer(1, earlier));
    return cursor.offset;
  }

  /** Moves to the change that lies so many changes before the cursor. */
  #goBack(cursor: Cursor, changes: number): void {
    const earlier = cursor.log.changes.filter(({ offset }) => offset < cursor.offset);
    cursor.offset = earlier.at(-changes)?.offset ?? cursor.offset;
  }

  #batch(cursor: Cursor, rows: number): SourceBatch<Row> {
    const { log, offset } = cursor;
    const { random } = this.world;
    const ahead = log.changes.filter((change) => change.offset >= offset);
    const first = ahead[0]?.offset ?? log.end;
    // Now and then a batch that only moves over a gap.
    const count = first > offset && random.chance(0.1) ? 0 : rows;
    const changes = ahead.slice(0, count);
    const behind = changes.length === 0 ? first : (changes.at(-1)?.offset ?? first) + 1;
    const nextChange = ahead[changes.length]?.offset ?? log.end;
    cursor.offset = random.integer(behind, Math.max(behind, nextChange));
    return batchOf(log.partition, changes, cursor.offset, this.world.plan.mode === 'append');
  }

  #happens(rate: number): boolean {
    return rate > 0 && this.world.isStormy() && this.world.random.chance(rate);
  }

  async #wait(milliseconds: number): Promise<void> {
    if (milliseconds === 0 || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      this.#endWait = resolve;
      this.world.scheduler.after(milliseconds, resolve, this.process);
    });
  }
}

function batchOf(
  partition: string,
  changes: readonly Change[],
  next: number,
  isAppend: boolean,
): SourceBatch<Row> {
  return {
    partition,
    rows: changes.map(({ row }) => row),
    offsets: BigInt64Array.from(changes, ({ offset }) => BigInt(offset)),
    ...(isAppend ? {} : { ops: Uint8Array.from(changes, ({ op }) => op) }),
    next: BigInt(next),
    bytes: changes.length * 10,
    identity: async () => ({ at: String(next) }),
  };
}
