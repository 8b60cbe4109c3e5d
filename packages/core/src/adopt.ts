/** Starts a pipeline where another program has come to. */
import { setTimeout as delay } from 'node:timers/promises';
import { canonicalText } from './canonical.js';
import { EosError, isEosError } from './errors.js';
import { checkName, MAX_INT64, type PartitionId } from './identifiers.js';
import type { Advance, Advances, Position, Positions, SourceIdentity } from './positions.js';
import { ClaimLedger } from './runner/claim-ledger.js';
import type { Sink, SinkConnector, SinkSession } from './sink.js';
import type { Mark, Source } from './source.js';

/** How far the rows of a partition are at the destination already. */
export type AdoptedPosition =
  | {
      /** Where reading starts, in the source's own count: it lies between two rows. */
      readonly offset: bigint | number;
      /** What the offset counts in, as `source` of a stored position says it. Default: the source finds out. */
      readonly source?: SourceIdentity;
    }
  /** Behind that many rows, from the start of the partition (≥ 1). */
  | { readonly rows: bigint | number };

export interface AdoptOptions<In, Row> {
  /** As for `pipeline`. */
  readonly id: string;
  /** Reads up to the offsets, to see what they count in. Not needed where each position says so itself. */
  readonly source?: Source<In>;
  /** As for `pipeline`: the one sink, by its name. */
  readonly sinks: Readonly<Record<string, SinkConnector<Row>>>;
  /** By partition. One that is not named starts at its beginning. */
  readonly positions: Readonly<Record<PartitionId, AdoptedPosition>>;
  readonly signal?: AbortSignal;
}

/** Each try that is fenced means that somebody else has claimed meanwhile. */
const TRIES = 10;
const PAUSE_MS = 20;

/**
 * Writes the first positions of a pipeline whose destination was filled by another program, in one commit without rows: the next
 * `run` goes on from there. Stop that program first; nothing fences it. Repeated with the same values it changes nothing.
 * @throws EOS_POSITION_EXISTS where another position is stored, or the pipeline has committed since; EOS_CONFIG for an offset that
 *   is not between two rows of the source; EOS_SCHEMA and the like where the destination is not there: nothing is made
 * @example
 * await adopt({ id: 'flights', source, sinks: { warehouse }, positions: { 'flights.ndjson': { offset: 48_211_904 } } });
 */
export async function adopt<In, Row>(options: AdoptOptions<In, Row>): Promise<Positions> {
  const { id, sinks, positions, signal = new AbortController().signal } = options;
  checkName('pipeline id', id);
  const [[sinkName, connector] = fail('sinks', 'must hold one sink'), ...others] = Object.entries(sinks);
  if (others.length > 0) fail('sinks', 'must hold one sink: adopt for each by itself');
  const marks = new Map(Object.entries(positions));
  if (marks.size === 0) fail('positions', 'names no partition');
  const sink = await connector.open({ pipeline: id, sink: sinkName, mustExist: true });
  try {
    const partitions = [...marks.keys()];
    // Reading may take long: what is refused in any case is refused before it.
    for (const [partition, { epoch }] of await sink.positions(partitions)) {
      if (epoch > 1n) throw existsError(partition, `the pipeline has committed ${epoch} times`);
    }
    return await store(sink, await locateAll(options, marks, signal));
  } finally {
    await sink.close();
  }
}

interface Wanted {
  readonly advance: Advance;
  /** Whether the caller has said what the offset counts in. */
  readonly isGiven: boolean;
}

async function locateAll<In, Row>(
  { id, source }: AdoptOptions<In, Row>,
  marks: ReadonlyMap<PartitionId, AdoptedPosition>,
  signal: AbortSignal,
): Promise<ReadonlyMap<PartitionId, Wanted>> {
  const wanted = new Map<PartitionId, Wanted>();
  for (const [partition, position] of marks) {
    const given = 'source' in position ? position.source : undefined;
    const mark = markOf(partition, position);
    if (given !== undefined && 'offset' in mark) {
      wanted.set(partition, { advance: { offset: mark.offset, source: given }, isGiven: true });
    } else if (source?.locate === undefined) {
      const problem =
        source === undefined ? 'no source is given' : `${source.description} cannot tell what it counts in`;
      fail('positions', `partition ${partition}: ${problem}: give { offset, source }`);
    } else {
      const advance = await source.locate(partition, mark, { pipeline: id, signal });
      wanted.set(partition, { advance, isGiven: false });
    }
  }
  return wanted;
}

function markOf(partition: PartitionId, position: AdoptedPosition): Mark {
  if ('rows' in position) return { rows: integer(partition, 'rows', position.rows, 1n) };
  return { offset: integer(partition, 'offset', position.offset, 0n) };
}

function integer(partition: PartitionId, name: string, value: unknown, least: bigint): bigint {
  const number = Number.isSafeInteger(value) ? BigInt(Number(value)) : value;
  if (typeof number === 'bigint' && number >= least && number <= MAX_INT64) return number;
  return fail('positions', `partition ${partition}: ${name} must be a whole number from ${least}`);
}

/** A commit that was fenced, or whose answer was lost, is settled by looking again. */
async function store<Row>(sink: Sink<Row>, wanted: ReadonlyMap<PartitionId, Wanted>): Promise<Positions> {
  const ledger = new ClaimLedger(() => undefined);
  for (let attempt = 1; ; attempt++) {
    const found = await sink.positions([...wanted.keys()]);
    const missing = judge(found, wanted);
    if (missing.size === 0) return found;
    try {
      const session = await ledger.recover(sink, [...missing.keys()]);
      try {
        if (isUntouched(session)) await commit(session, missing);
      } finally {
        await session.close();
      }
    } catch (error) {
      if (attempt === TRIES || !isEosError(error)) throw error;
      if (error.code !== 'EOS_FENCED' && error.outcome !== 'unknown') throw error;
      ledger.forget([...missing.keys()]);
      // Two that go on in step would fence each other for ever.
      await delay(Math.random() * PAUSE_MS * attempt);
    }
  }
}

/** What came between the look and the claim is judged by the next look. */
function isUntouched<Row>({ positions }: SinkSession<Row>): boolean {
  return [...positions.values()].every(({ epoch }) => epoch === 0n);
}

async function commit<Row>(session: SinkSession<Row>, to: Advances): Promise<void> {
  const transaction = await session.begin();
  await transaction.prepare();
  await transaction.commit({ from: new Map(session.positions), to });
}

/**
 * What is not stored yet.
 * @throws EOS_POSITION_EXISTS for what is stored and differs
 */
function judge(found: Positions, wanted: ReadonlyMap<PartitionId, Wanted>): Advances {
  const missing = new Map<PartitionId, Advance>();
  for (const [partition, one] of wanted) {
    const position = found.get(partition);
    if (position === undefined || position.epoch === 0n) missing.set(partition, one.advance);
    else judgeStored(partition, position, one);
  }
  return missing;
}

/** What the source has found out for the same offset may be of another size by now: it judges that itself when the pipeline runs. */
function judgeStored(partition: PartitionId, { epoch, offset, source }: Position, wanted: Wanted): void {
  if (epoch > 1n) throw existsError(partition, `the pipeline has committed ${epoch} times`);
  if (offset !== wanted.advance.offset) throw existsError(partition, `it is at offset ${String(offset)}`);
  const counted = source === null ? 'nothing' : canonicalText(source);
  if (wanted.isGiven && counted !== canonicalText(wanted.advance.source)) {
    throw existsError(partition, `its offset counts in ${counted}`);
  }
}

function existsError(partition: PartitionId, what: string): EosError {
  const message = `partition ${partition} has a position already (${what}): adopt starts only what has never committed`;
  return new EosError('EOS_POSITION_EXISTS', message, { details: { partition } });
}

function fail(option: string, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option} ${problem}`, { details: { option } });
}
