/** A writer is struck at every one of its requests, in every way: nothing may be lost, doubled or shown too early. */
import {
  isEosError,
  rowSchema,
  t,
  type EarlierClaim,
  type Sink,
  type SinkConnector,
  type SinkSession,
} from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import { s3Sink } from '../index.js';
import type { StoreOptions, Visibility } from '../options.js';
import { committedFiles, listedFiles } from '../reading.testing.js';
import type { Interrupter, Interruption } from './interruption.testing.js';

/** A fresh place for one writer, who is struck, and for its successor. */
export interface CrashPlace {
  readonly troubled: StoreOptions;
  readonly direct: StoreOptions;
  readonly interrupter: Interrupter;
  /** By which the test reads. */
  readonly store: ObjectStore;
  readonly prefix: string;
  close(): Promise<void>;
}

export interface CrashCase {
  readonly visibility: Visibility;
  /** Which of the writer's calls is struck: its claim, or its second transaction. */
  readonly struck: 'recover' | 'transaction';
  /** Bytes of the text of each row, and rows of each file: they say how many files there are, and of how many parts. */
  readonly rowBytes: number;
  readonly rowsPerFile: number;
  /** How many entries are in the log before: with 61, the struck commit is the last of a window. */
  readonly earlierCommits?: number;
}

/** Rows of a transaction: 0 … 9, 10 … 19, 20 … 29. */
const SIZE = 10;
const schema = rowSchema({ id: t.int64(), text: t.string() });
interface Row {
  id: bigint;
  text: string;
}

/** Undoes nothing and expects everything. Returns how many requests the struck call has sent. */
export async function runStruck(
  place: CrashPlace,
  crashCase: CrashCase,
  interruption: Interruption | undefined,
): Promise<number> {
  const { interrupter } = place;
  const first = await writerOf(place.direct, crashCase).open(CONTEXT);
  const before = await first.recover(['0']);
  for (let done = 0; done < (crashCase.earlierCommits ?? 0); done++) await moveOnly(before);
  await transact(before, 0, crashCase);
  await first.close();

  const sink = await writerOf(place.troubled, crashCase).open(CONTEXT);
  // Looks at the store, once.
  await sink.recover(['another']);
  let session = crashCase.struck === 'transaction' ? await sink.recover(['0'], { owner: OWNER }) : undefined;
  interrupter.arm(interruption);
  const work = async () => {
    session ??= await sink.recover(['0'], { owner: OWNER });
    if (crashCase.struck === 'recover') return;
    await transact(session, SIZE, crashCase);
    // What goes on beside the commit is a part of it here: the checkpoint of a full window.
    await sink.close();
  };
  const ended = await Promise.race([work().then(() => undefined, asRetryable), interrupter.death]);
  const count = interrupter.count;
  if (ended !== undefined) throw ended;

  await expectWhole(place, crashCase, await storedOffset(place, crashCase));
  // A writer that lives tries again by itself; one that is dead has a successor.
  const isAlive = interruption?.blow === 'lost' || interruption?.blow === 'late';
  await succeed(place, crashCase, isAlive ? earlierOf(session) : undefined);
  await expectWhole(place, crashCase, 3 * SIZE);
  return count;
}

/** Whatever else a writer is told, it is not told that it may not try again. */
function asRetryable(failure: unknown): Error | undefined {
  if (isEosError(failure) && failure.retryable) return undefined;
  return failure instanceof Error ? failure : new Error(String(failure));
}

const CONTEXT = { pipeline: 'crash', sink: 's3' };
const OWNER = 4711n;

function writerOf(options: StoreOptions, { visibility, rowsPerFile }: CrashCase): SinkConnector<Row> {
  return s3Sink({ ...options, schema, visibility, roll: { rows: rowsPerFile } });
}

/** What a process knows of its claim, if it came to one. */
function earlierOf(session: SinkSession<Row> | undefined): EarlierClaim {
  const epoch = session?.positions.get('0')?.epoch ?? 0n;
  return { owners: new Set([OWNER]), epoch };
}

/** Goes on from where the destination says, to the end; what is late arrives after its claim, or after its first commit. */
async function succeed(
  place: CrashPlace,
  crashCase: CrashCase,
  earlier: EarlierClaim | undefined,
): Promise<void> {
  const sink = await writerOf(place.direct, crashCase).open(CONTEXT);
  const found = (await sink.positions()).get('0');
  // It may not have come to its claim: then it saw whose there was.
  const owners = new Set([...(earlier?.owners ?? []), ...(found === undefined ? [] : [found.owner])]);
  const replacing = earlier === undefined ? {} : { replacing: new Map([['0', { ...earlier, owners }]]) };
  const session = await sink.recover(['0'], replacing);
  const isLateFirst = place.interrupter.count % 2 === 0;
  if (isLateFirst) await place.interrupter.release();
  const start = Number(session.positions.get('0')?.offset ?? -1n);
  for (let at = start; at < 3 * SIZE; at += SIZE) {
    await transact(session, at, crashCase);
    await place.interrupter.release();
  }
  await closeAll(sink);
}

async function closeAll(sink: Sink<Row>): Promise<void> {
  await sink.close();
}

async function transact(session: SinkSession<Row>, from: number, { rowBytes }: CrashCase): Promise<void> {
  const transaction = await session.begin();
  for (let id = from; id < from + SIZE; id++)
    await transaction.write({ partition: '0', rows: [rowOf(id, rowBytes)] });
  await transaction.prepare();
  await transaction.commit(range(session, from + SIZE));
}

async function moveOnly(session: SinkSession<Row>): Promise<void> {
  const transaction = await session.begin();
  await transaction.prepare();
  await transaction.commit(range(session, 0));
}

function range({ positions }: SinkSession<Row>, end: number) {
  return {
    from: new Map(positions),
    to: new Map([['0', { offset: BigInt(end), source: { test: 'crash' } }]]),
  };
}

function rowOf(id: number, bytes: number): Row {
  return { id: BigInt(id), text: String(id).padEnd(bytes, '.') };
}

/** Read by a sink of its own, which claims nothing. */
async function storedOffset({ direct }: CrashPlace, crashCase: CrashCase): Promise<number> {
  const sink = await writerOf(direct, crashCase).open(CONTEXT);
  const position = (await sink.positions()).get('0');
  await sink.close();
  return Number(position?.offset ?? -1n);
}

/** The rows that the log names are those in front of the offset, once each; a listing shows nothing else, and all but the last commit. */
async function expectWhole(
  { store, prefix }: CrashPlace,
  { visibility, rowBytes }: CrashCase,
  offset: number,
): Promise<void> {
  const listed = new Set(await listedFiles(store, prefix));
  const files = await committedFiles(store, prefix);
  const named = new Set(files.map(({ path }) => prefix + path));
  if (visibility === 'listing') {
    const stray = [...listed].filter((key) => !named.has(key));
    if (stray.length > 0) throw new Error(`visible, and not committed: ${stray.join()}`);
  }
  const ids: number[] = [];
  const hidden: number[] = [];
  for (const { path, upload } of files) {
    const body = await bodyOf(store, prefix + path);
    if (body === undefined && upload === undefined) throw new Error(`${path} is committed, and not there`);
    const of = body === undefined ? undefined : idsOf(body, rowBytes);
    if (of === undefined) hidden.push(1);
    else ids.push(...of);
  }
  const expected = Array.from({ length: offset }, (_, id) => id);
  const shown = ids.sort((a, b) => a - b);
  // At most one commit behind.
  const isWhole = hidden.length === 0 ? shown.length === offset : shown.length >= offset - SIZE;
  const isExact = isWhole && shown.every((id, index) => index === 0 || id > (shown[index - 1] ?? -1));
  const isWithin = shown.every((id) => expected[id] === id);
  if (!isExact || !isWithin)
    throw new Error(`rows ${shown.join()} with ${hidden.length} files to come, and the offset is ${offset}`);
}

async function bodyOf(store: ObjectStore, key: string): Promise<Uint8Array | undefined> {
  return (await store.get(key))?.body;
}

function idsOf(body: Uint8Array, rowBytes: number): number[] {
  const lines = Buffer.from(body).toString().split('\n').slice(0, -1);
  return lines.map((line) => {
    const { id, text } = JSON.parse(line) as { id: number; text: string };
    if (text !== rowOf(id, rowBytes).text) throw new Error(`a row with another text: ${line.slice(0, 100)}`);
    return id;
  });
}
