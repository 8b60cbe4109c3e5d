/**
 * Writes that set bad rows aside. A transaction is first written as if all its rows were good, behind a savepoint; where the server
 * rejects one, everything since the savepoint is taken back and written again in parts, until the bad rows stand alone. It works with
 * the writers of any mode.
 */
import { EosError, isEosError, type ChangeBatch, type RejectedRows, type TxId } from '@eos/core';
import { joined, rejections, type BadRows, type Letter } from './bad-rows.js';
import { bisect, type Range, type Refusal } from './bisect.js';
import { BEGIN } from '../law/begin.js';
import type { Link } from '../connection/connection.js';
import { keptRows } from './kept-rows.js';
import type { Opening, Writer, Writers } from '../modes/writer.js';

/** Bytes that are sent between two savepoints: what may have to be written again, and is kept in memory until then. */
const CHUNK_BYTES = 8_388_608;

/** The same where the connection does not count its bytes. */
const CHUNK_ROWS = 100_000;

const SAVEPOINT = 'SAVEPOINT eos_rows';
const RELEASE = 'RELEASE SAVEPOINT eos_rows';
const BACK = `ROLLBACK TO SAVEPOINT eos_rows; ${RELEASE}`;

export interface CarefulOptions {
  readonly policy: Exclude<BadRows, 'fail'>;
  /** How many bad rows a transaction may have. */
  readonly limit: number;
  /** The statement that stores letters of a transaction. */
  readonly store: (letters: readonly Letter[], id: TxId) => string;
}

export function carefulWriters<Row>(writers: Writers<Row>, options: CarefulOptions): Writers<Row> {
  const past: Past = { wasCut: false };
  return {
    async prepare(link) {
      await writers.prepare(link);
      await writers.first?.prepare(link);
    },
    begin: (link, after, { id = 0n } = {}) => carefulWriter(link, after, id, { ...options, writers, past }),
  };
}

/** What is remembered from transaction to transaction. */
interface Past {
  /** Whether the last one was written in parts: its writers then know only of their own rows, and the next has to wait for all of it. */
  wasCut: boolean;
}

interface CarefulPlan<Row> extends CarefulOptions {
  readonly writers: Writers<Row>;
  readonly past: Past;
}

function carefulWriter<Row>(
  link: Link,
  before: Promise<void> | undefined,
  id: TxId,
  { writers, past, policy, limit, store }: CarefulPlan<Row>,
): Writer<Row> {
  const rejected = rejections<Row>(policy, limit);
  let rows = keptRows<Row>();
  /** What is sent before the next rows. */
  let opening = `${BEGIN}; ${SAVEPOINT}`;
  let writer: Writer<Row> | undefined;
  let isAbandoned = false;
  let sentBefore = 0;
  let rejectedBefore = 0;
  let isCut = false;
  /** What the writers of its parts have counted themselves. */
  const counted: RejectedRows[] = [];
  const prepare = async (part: Writer<Row>) => {
    await part.prepare();
    if (part.rejected !== undefined) counted.push(part.rejected());
  };

  const checkOpen = () => {
    if (isAbandoned) throw new EosError('EOS_ABORTED', 'the transaction was rolled back');
  };
  const beginFirst = async () => {
    if (past.wasCut) await before;
    past.wasCut = isCut;
    return begin(writers.first ?? writers, before);
  };
  const begin = (from: Writers<Row>, waitsFor?: Promise<void>) => {
    checkOpen();
    const how: Opening<Row> = { statements: opening, reject: rejected.reject };
    rejectedBefore = rejected.count;
    writer = from.begin(link, waitsFor, how);
    // Earlier parts of a transaction had their deferred constraints checked: what is written now may wait again.
    opening = `${RELEASE}; ${SAVEPOINT}; SET CONSTRAINTS ALL DEFERRED${writers.again ?? ''}`;
    return writer;
  };
  /** Ends a part that is refused. What is no bad row is thrown on. */
  const takeBack = async (error: unknown, range: Range): Promise<Refusal> => {
    if (!isEosError(error, 'EOS_ROW') || rejected.failure !== undefined) throw error;
    await before;
    checkOpen();
    await writer?.abandon();
    checkOpen();
    await link.run(BACK);
    writer = undefined;
    opening = `${SAVEPOINT}; SET CONSTRAINTS ALL DEFERRED${writers.again ?? ''}`;
    rejected.backTo(rejectedBefore);
    const { partition, offset } = error.details;
    return { error, row: rows.numberOf(range, partition, offset) };
  };
  const attempt = async (range: Range): Promise<Refusal | undefined> => {
    const open = begin(writers);
    try {
      for (const batch of rows.batches(range)) await open.write(batch);
      await prepare(open);
      writer = undefined;
      return undefined;
    } catch (error) {
      return await takeBack(error, range);
    }
  };
  const repair = async (error: unknown) => {
    const all = { from: 0, to: rows.count };
    const refusal = await takeBack(error, all);
    isCut = true;
    past.wasCut = true;
    await bisect(all, refusal, {
      attempt,
      reject(row, reason) {
        const found = rows.find(row);
        if (found !== undefined) rejected.reject(reason, found.batch, found.index);
      },
      mayBeLate: lateRows(writers.keyOf, rows),
    });
    rows = keptRows();
  };
  /** Brings everything that was written so far behind the savepoint. */
  const settle = async () => {
    try {
      if (writer !== undefined) await prepare(writer);
    } catch (error) {
      await repair(error);
    }
    writer = undefined;
    rows = keptRows();
    await storeLetters();
  };
  const storeLetters = async () => {
    const letters = rejected.take();
    if (letters.length === 0) return;
    checkOpen();
    await link.run(store(letters, id));
  };

  return {
    async write(batch: ChangeBatch<Row>) {
      if (writer === undefined) sentBefore = sentBytes(link);
      const copy = rows.add(batch);
      try {
        writer ??= await beginFirst();
        await writer.write(copy);
      } catch (error) {
        await repair(error);
      }
      if (rows.count <= CHUNK_ROWS && sentBytes(link) - sentBefore <= CHUNK_BYTES) return;
      isCut = true;
      await before;
      await settle();
    },
    prepare: settle,
    async abandon() {
      isAbandoned = true;
      await writer?.abandon();
    },
    rejected: (): RejectedRows => joined([rejected.summary(), ...counted]),
  };
}

function sentBytes({ client }: Link): number {
  const { stream } = client.connection;
  return 'bytesWritten' in stream && typeof stream.bytesWritten === 'number' ? stream.bytesWritten : 0;
}

/**
 * Rows that are only added may come in any order. A change of a key may be late unless a later one of the same key has been written;
 * of other modes nothing is known.
 */
function lateRows<Row>(
  keyOf: Writers<Row>['keyOf'],
  rows: ReturnType<typeof keptRows<Row>>,
): (row: number) => boolean {
  if (keyOf === undefined) return () => false;
  if (keyOf === null) return () => true;
  let last: Map<unknown, number> | undefined;
  return (row) => {
    last ??= lastPlaces(rows, keyOf);
    const found = rows.find(row);
    return found !== undefined && last.get(keyOrNothing(found.batch.rows[found.index], keyOf)) === row;
  };
}

function lastPlaces<Row>(
  rows: ReturnType<typeof keptRows<Row>>,
  keyOf: (row: unknown) => unknown,
): Map<unknown, number> {
  const last = new Map<unknown, number>();
  let number = 0;
  for (const batch of rows.batches({ from: 0, to: rows.count })) {
    for (const row of batch.rows) last.set(keyOrNothing(row, keyOf), number++);
  }
  return last;
}

/** A row whose key is bad is not written at all. */
function keyOrNothing(row: unknown, keyOf: (row: unknown) => unknown): unknown {
  try {
    return keyOf(row);
  } catch {
    return undefined;
  }
}
