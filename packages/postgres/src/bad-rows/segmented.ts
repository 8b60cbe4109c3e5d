/**
 * Append where single rows may be rejected: a transaction goes in by a chain of COPYs, each behind a savepoint and none waiting for
 * the one before. The server names the line that it rejects: what lies before it is sent again, and what lies behind it, in the same
 * breath. Once a CHECK has rejected one, the COPYs leave such rows out (`check-filter.ts`) and nothing is sent again. An error that
 * names no line is thrown: `careful.ts` then takes back the whole.
 */
import { EosError, type ChangeBatch } from '@eos/core';
import type { Reject } from './bad-rows.js';
import { CHECK_VIOLATION, readCheckFilter, readLeftOut, type CheckFilter } from './check-filter.js';
import { BEGIN } from '../law/begin.js';
import type { Link } from '../connection/connection.js';
import { openLane, type CopyLane } from '../copy/copy-lane.js';
import { HIGH_WATER } from '../copy/copy-stream.js';
import { rowAdder } from '../copy/copy-text.js';
import { mapError } from '../connection/error-map.js';
import { quoteAll } from '../connection/identifiers.js';
import type { AddRow } from '../copy/row-sender.js';
import { Segment } from './segment.js';
import { SegmentEncoder } from './segment-encoder.js';
import { segmentSize, type SegmentSize } from './segment-size.js';
import { namedLine, placedIn } from '../copy/sent-rows.js';
import { CHECK } from '../modes/staging.js';
import type { Table } from '../table/table.js';
import type { ColumnEncoder } from '../copy/value-text.js';
import type { Opening, Writer, Writers } from '../modes/writer.js';

const SAVEPOINT = 'SAVEPOINT eos_segment';
const RELEASE = 'RELEASE SAVEPOINT eos_segment';
/** How many segments may be under way: enough that the server need not wait for this process. */
const AHEAD = 2;
const BACK = `ROLLBACK TO SAVEPOINT eos_segment; ${RELEASE}`;

interface SegmentedPlan<Row> {
  readonly table: string;
  readonly copy: string;
  readonly add: AddRow<Row>;
  readonly size: SegmentSize;
  filter: CheckFilter | undefined;
  /** Whether a CHECK has rejected a row: from then on what it costs to judge each twice is the lesser evil. */
  isFiltered: boolean;
}

export function segmentedWriters<Row>(table: Table, columns: readonly ColumnEncoder[]): Writers<Row> {
  const names = columns.map(({ name }) => name);
  const plan: SegmentedPlan<Row> = {
    table: table.name,
    copy: `COPY ${table.sql} (${quoteAll(names)}) FROM STDIN`,
    add: rowAdder(columns),
    size: segmentSize(),
    filter: undefined,
    isFiltered: false,
  };
  return {
    async prepare(link) {
      plan.filter = await readCheckFilter(link, table, names);
    },
    begin: (link, after, opening) =>
      new SegmentedWriter(link, plan, table.insertLocks > 0 ? after : undefined, opening),
  };
}

interface Failure<Row> {
  readonly segment: Segment<Row> | undefined;
  readonly error: unknown;
}

class SegmentedWriter<Row> implements Writer<Row> {
  readonly #encoder: SegmentEncoder<Row>;
  readonly #reject: Reject<Row>;
  #lane: CopyLane | undefined;
  /** Not yet known to be in. The last one may still grow. */
  #segments: Segment<Row>[] = [];
  /** What is sent before the next statement. */
  #prefix: string;
  #failure: Failure<Row> | undefined;
  #isAbandoned = false;
  #rows = 0;
  #rejected = 0;
  #numbers = 0;

  constructor(
    private readonly link: Link,
    private readonly plan: SegmentedPlan<Row>,
    private readonly after: Promise<void> | undefined,
    { statements = BEGIN, reject = rethrow }: Opening<Row> = {},
  ) {
    this.#prefix = `${statements}; `;
    this.#reject = reject;
    this.#encoder = new SegmentEncoder(plan.add, plan.size, reject);
    if (after === undefined) this.#start();
    else after.then(() => this.#start(), ignore);
  }

  async write(batch: ChangeBatch<Row>): Promise<void> {
    const { rows } = batch;
    this.#rows += rows.length;
    for (let start = 0; start < rows.length;) {
      start = this.#encoder.fill(this.#current(), batch, start);
      this.#send();
      await this.#ready();
    }
  }

  /** Resolves at once unless too much is under way. */
  async #ready(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) await this.#repair();
      const lane = this.#lane;
      if (lane === undefined) {
        if (this.#keptBytes() <= HIGH_WATER) return;
        await this.after;
      } else if (this.#unsent() > 0) await lane.answered();
      else if (lane.waiting > HIGH_WATER) await lane.eased();
      else return;
    }
  }

  async prepare(): Promise<void> {
    this.#close();
    await this.after;
    do {
      this.#send();
      await this.#ready();
      const lane = this.#lane;
      if (lane === undefined || this.#isAbandoned)
        throw new EosError('EOS_ABORTED', 'the transaction was rolled back');
      this.#watch(lane.send(`${this.#takePrefix()}${CHECK}`), undefined);
      await lane.idle();
      if (this.#failure !== undefined) await this.#repair();
      else break;
    } while (!this.#isAbandoned);
    this.link.client.off('notice', this.#onNotice);
    this.plan.size.learn(this.#rows, this.#rejected);
  }

  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    this.link.client.off('notice', this.#onNotice);
    const last = this.#segments.at(-1);
    if (last?.sent !== undefined && !last.isWhole) this.#lane?.fail();
    await this.#lane?.idle().catch(ignore);
  }

  #start(): void {
    if (this.#isAbandoned || this.link.lost !== undefined) return;
    this.#lane = openLane(this.link);
    if (this.plan.filter !== undefined) this.link.client.on('notice', this.#onNotice);
    this.#send();
  }

  /** It comes before the answer of its COPY, and when the answers to others may be waiting in this process. */
  readonly #onNotice = (notice: unknown): void => {
    const found = readLeftOut(notice, this.plan.table);
    if (found === undefined) return;
    this.#segments.find(({ number }) => number === found.segment)?.leftOut.push(found);
  };

  /** The segment that rows are added to. */
  #current(): Segment<Row> {
    const last = this.#segments.at(-1);
    if (last !== undefined && !last.isWhole) return last;
    const segment = new Segment<Row>();
    this.#segments.push(segment);
    return segment;
  }

  /** No more rows come to the last segment. */
  #close(): void {
    const last = this.#segments.at(-1);
    if (last !== undefined && !last.isWhole) this.#encoder.end(last);
  }

  /** Sends what there is to be sent, and no more than a few segments ahead of their answers: an error has all of them sent again. */
  #send(): void {
    const lane = this.#lane;
    if (lane === undefined || this.#failure !== undefined || this.#isAbandoned) return;
    lane.together(() => {
      for (const segment of this.#segments.slice(0, AHEAD)) this.#sendSegment(lane, segment);
    });
  }

  #sendSegment(lane: CopyLane, segment: Segment<Row>): void {
    if (segment.blocks.length === 0) return;
    if (segment.sent === undefined) {
      segment.sent = 0;
      this.#watch(lane.send(this.#takePrefix() + this.#copyOf(segment)), segment);
    }
    for (; segment.sent < segment.blocks.length; segment.sent += 1) {
      const block = segment.blocks[segment.sent];
      if (block !== undefined) lane.lines(block);
    }
    if (segment.isWhole && !segment.isEnded) {
      segment.isEnded = true;
      lane.end();
    }
  }

  #copyOf(segment: Segment<Row>): string {
    const { copy, filter, isFiltered } = this.plan;
    segment.number = isFiltered && filter !== undefined ? ++this.#numbers : undefined;
    const where = segment.number === undefined ? '' : ` WHERE ${filter?.condition(segment.number) ?? 'true'}`;
    return `${SAVEPOINT}; ${copy}${where}; ${RELEASE}`;
  }

  /** Segments that wait for the answers to those before. */
  #unsent(): number {
    return this.#segments.slice(AHEAD).filter(({ blocks }) => blocks.length > 0).length;
  }

  #watch(answer: Promise<number>, segment: Segment<Row> | undefined): void {
    answer
      .then((copied) => {
        if (segment !== undefined) this.#done(segment, copied);
        this.#segments = this.#segments.filter((other) => other !== segment);
        this.#send();
      })
      // What fails behind it fails because of it.
      .catch((error: unknown) => (this.#failure ??= { segment, error }));
  }

  /** @throws where there were too many bad rows, and where some are missing that nothing was told of */
  #done(segment: Segment<Row>, copied: number): void {
    const { leftOut, lines, number } = segment;
    if (number === undefined) return;
    for (const { error } of leftOut) {
      const named = namedLine(error, this.plan.table);
      const found = named && segment.find(named.line - 1);
      if (found === undefined) continue;
      const { batch, index } = found;
      this.#reject(placedIn(mapError(error), batch, index, named), batch, index);
      copied += 1;
    }
    if (copied === lines) return;
    // Something between has taken notices away. It is tried again without them.
    this.plan.filter = undefined;
    this.plan.isFiltered = false;
    const message = `of ${lines} rows ${copied} were written or told to be bad: the rest is unknown`;
    throw new EosError('EOS_UNAVAILABLE', message, { retryable: true });
  }

  /** Takes the rejected row out, and sends again what was refused with it. @throws what is no row that the server names */
  async #repair(): Promise<void> {
    await this.#lane?.idle();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) return;
    const { segment, error } = failure;
    const mapped = mapError(error);
    const named = namedLine(error, this.plan.table);
    const found = named && segment?.find(named.line - 1);
    if (mapped.code !== 'EOS_ROW' || segment === undefined || named === undefined || found === undefined)
      throw mapped;
    const { batch, index } = found;
    this.#rejected += 1;
    this.plan.isFiltered ||= mapped.details['sqlState'] === CHECK_VIOLATION;
    this.#reject(placedIn(mapped, batch, index, named), batch, index);
    this.#resend(segment, named.line - 1);
  }

  #resend(segment: Segment<Row>, line: number): void {
    const [before, behind] = segment.without(line);
    const others = this.#segments.slice(this.#segments.indexOf(segment) + 1);
    for (const other of others) other.unsend();
    this.#segments = [before, behind, ...others].filter(({ lines, isWhole }) => lines > 0 || !isWhole);
    this.#prefix = `${BACK}; `;
    this.#send();
  }

  #takePrefix(): string {
    const prefix = this.#prefix;
    this.#prefix = '';
    return prefix;
  }

  #keptBytes(): number {
    return this.#segments.reduce(
      (sum, { blocks }) => sum + blocks.reduce((bytes, { length }) => bytes + length, 0),
      0,
    );
  }
}

function rethrow(error: EosError): never {
  throw error;
}

function ignore(): void {
  // It is told elsewhere.
}
