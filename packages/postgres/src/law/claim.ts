/** Claims: the barrier of law 1, and what is read back behind it. */
import {
  EosError,
  initialPosition,
  judgeClaim,
  judgeCommit,
  type Claim,
  type PartitionId,
  type Position,
  type Positions,
  type SinkContext,
  type SourceIdentity,
} from '@eos/core';
import type { Backend } from './blockers.js';
import { checkFormat, FORMAT, missingToRead, permissionError } from './catalog.js';
import { BEGIN } from './begin.js';
import type { Link, TextRow } from '../connection/connection.js';
import { isServerError, mapCommitError } from '../connection/error-map.js';
import { literal } from '../connection/identifiers.js';
import { settleTarget } from './targets.js';

const POSITION = 'p.epoch, p.next_offset, p.tx_id, p.source, p.watermark, p.read_to, p.plan, p.format';

/** The newest position of each claim `c`, found by the index however many older ones are dead. */
const NEWEST = `
  LEFT JOIN LATERAL (
    SELECT ${POSITION} FROM eos.positions p
    WHERE p.pipeline = c.pipeline AND p.sink = c.sink AND p.partition = c.partition
    ORDER BY p.epoch DESC LIMIT 1
  ) p ON true`;

const RECORD = `SELECT c.partition, c.owner, c.target, c.format, ${POSITION} FROM eos.claims c ${NEWEST}`;

/**
 * Every position of a sink, or those of `partitions`, where they exist. None where nothing was ever made in the database.
 * @throws EOS_PERMISSION
 */
export async function readPositions(
  link: Link,
  context: SinkContext,
  partitions?: readonly PartitionId[],
): Promise<Positions> {
  if (partitions?.length === 0) return new Map<PartitionId, Position>();
  const wanted = partitions === undefined ? ofSink(context) : ofClaim({ ...context, partitions });
  const [answer] = await link
    .run(`${RECORD} WHERE ${wanted} AND c.owner IS NOT NULL`)
    .catch(async (error: unknown) => {
      if (isServerError(error) && error.code === UNDEFINED_TABLE) return [];
      if (isServerError(error) && error.code === DENIED) throw permissionError(await missingToRead(link));
      throw error;
    });
  return readRecords(answer?.rows ?? []);
}

const UNDEFINED_TABLE = '42P01';
const DENIED = '42501';

/**
 * Reads what a commit would find, and judges it as the commit would.
 * @throws EOS_FENCED, EOS_POSITION_REGRESSED
 */
export async function judgeStored(link: Link, context: SinkContext, from: Positions): Promise<void> {
  const stored = await readPositions(link, context, [...from.keys()]);
  for (const [partition, position] of from) judgeCommit(partition, stored.get(partition), position);
}

export interface ClaimRequest extends Claim, SinkContext {
  /** The target's identity, and what to call it in a message. */
  readonly target: string;
  readonly object: string;
  /** Every connection of the new session. */
  readonly backends: readonly Backend[];
  readonly lockTimeoutMs: number;
}

/**
 * Makes the records that are missing, in a transaction of its own: an insert that another session has not committed yet
 * would be waited for without its being a lock on a claim.
 */
async function makeClaims(
  link: Link,
  { partitions, lockTimeoutMs, ...context }: ClaimRequest,
): Promise<void> {
  const names = `${literal(context.pipeline)}, ${literal(context.sink)}`;
  const rows = partitions.map((partition) => `(${names}, ${literal(partition)}, ${FORMAT})`).join(', ');
  await link.run(`
    ${BEGIN}; SET LOCAL lock_timeout = ${lockTimeoutMs};
    INSERT INTO eos.claims (pipeline, sink, partition, format) VALUES ${rows} ON CONFLICT DO NOTHING; COMMIT`);
}

/**
 * Judges a conditional claim by what is there now, without waiting for its locks.
 * @throws EOS_FENCED
 */
export async function judgeUnlocked(link: Link, request: Claim & SinkContext): Promise<void> {
  const found = await readPositions(link, request, request.partitions);
  for (const partition of request.partitions) {
    judgeClaim(partition, found.get(partition), request.replacing.get(partition));
  }
}

/** What a claim has come to. */
export interface Claimed {
  readonly positions: Positions;
  /** Connections of earlier sessions that are still there. They may hold locks on rows until they find that they are fenced. */
  readonly rivals: readonly Backend[];
}

/**
 * Locks the claims, which waits on every commit in flight, judges what is there, and writes the new owner. Records that are missing
 * are made: as a rule none are.
 * @throws EOS_FENCED, EOS_TARGET_CHANGED, EOS_FORMAT; what a lock timeout gives; EOS_UNKNOWN_OUTCOME where the answer to the
 *   COMMIT was lost
 */
export async function claimPartitions(link: Link, request: ClaimRequest): Promise<Claimed> {
  let locked = await lockClaims(link, request);
  if (locked.count < new Set(request.partitions).size) {
    await link.run('ROLLBACK');
    await makeClaims(link, request);
    locked = await lockClaims(link, request);
  }
  const { found, rivals } = locked;
  for (const partition of request.partitions) {
    judgeClaim(partition, found.get(partition), request.replacing.get(partition));
  }
  const target = settleTarget(found, request.target, request.object);
  await writeClaims(link, { ...request, target }, rivals);
  const positions = request.partitions.map((name): [string, Position] => [
    name,
    claimed(found.get(name), { ...request, target }),
  ]);
  return { positions: new Map(positions), rivals };
}

function claimed(found: Position | undefined, { owner, target }: ClaimRequest): Position {
  return found === undefined ? initialPosition(owner, target) : { ...found, owner, target };
}

/** How many records there are, and what they say. They are read by a statement of its own: its snapshot is taken when the locks are held. */
async function lockClaims(
  link: Link,
  request: ClaimRequest,
): Promise<{ count: number; found: Positions; rivals: Backend[] }> {
  const answers = await link.run(`
    ${BEGIN}; SET LOCAL lock_timeout = ${request.lockTimeoutMs};
    -- A claimant that hangs between its two statements must not hold the claims against everybody else.
    SET LOCAL idle_in_transaction_session_timeout = ${request.lockTimeoutMs};
    SELECT FROM eos.claims c WHERE ${ofClaim(request)} ORDER BY c.partition FOR UPDATE;
    ${RECORD} WHERE ${ofClaim(request)} AND c.owner IS NOT NULL;
    ${LISTED} WHERE ${ofClaim(request)}`);
  const [locked, records, backends] = answers.slice(-3);
  return {
    count: locked?.rows.length ?? 0,
    found: readRecords(records?.rows ?? []),
    rivals: readBackends(backends?.rows ?? []),
  };
}

/** Listed are the connections of the owner, and of owners before it for as long as they live. */
const LISTED = `
  SELECT DISTINCT a.pid, a.backend_start::text FROM eos.claims c
    CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(c.backends) AS b(pid int, "startedAt" text)
    JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) b.pid AND a.backend_start::text = b."startedAt"`;

/** The connections of earlier sessions that are still there, while somebody holds a lock that this claim needs. */
export async function listedBackends(link: Link, request: Claim & SinkContext): Promise<readonly Backend[]> {
  const [answer] = await link.run(`${LISTED} WHERE ${ofClaim(request)}`);
  return readBackends(answer?.rows ?? []);
}

function readBackends(rows: readonly TextRow[]): Backend[] {
  return rows.map(([pid, startedAt]) => ({ pid: Number(pid), startedAt: String(startedAt) }));
}

async function writeClaims(link: Link, request: ClaimRequest, rivals: readonly Backend[]): Promise<void> {
  const backends = [...request.backends, ...rivals].map(({ pid, startedAt }) => ({ pid, startedAt }));
  const answers = await link
    .run(
      `UPDATE eos.claims c SET owner = ${request.owner}, target = ${literal(request.target)},
         backends = ${literal(JSON.stringify(backends))}, format = ${FORMAT}
       WHERE ${ofClaim(request)};
       COMMIT`,
    )
    .catch((error: unknown) => {
      throw mapCommitError(error);
    });
  if (answers.at(-1)?.command === 'COMMIT') return;
  throw new EosError('EOS_UNAVAILABLE', 'the server rolled the claim back', { retryable: true });
}

function ofSink({ pipeline, sink }: SinkContext): string {
  return `c.pipeline = ${literal(pipeline)} AND c.sink = ${literal(sink)}`;
}

/** The claims `c` that are asked for. */
export function ofClaim(request: SinkContext & Pick<Claim, 'partitions'>): string {
  return `${ofSink(request)} AND c.partition IN (${request.partitions.map(literal).join(', ')})`;
}

function readRecords(rows: readonly TextRow[]): Positions {
  return new Map(rows.map(readRecord));
}

function readRecord(row: TextRow): [PartitionId, Position] {
  const [
    partition,
    owner,
    target,
    claimFormat,
    epoch,
    offset,
    txId,
    source,
    watermark,
    readTo,
    plan,
    format,
  ] = row;
  const name = String(partition);
  checkFormat(claimFormat, `the claim of partition ${name}`);
  checkFormat(format, `the position of partition ${name}`);
  const start = initialPosition(integer(owner) ?? 0n, target ?? '');
  if (epoch === null || epoch === undefined) return [name, start];
  const optional = (field: string, text: string | null | undefined) => {
    const value = integer(text);
    return value === undefined ? {} : { [field]: value };
  };
  const position = {
    ...start,
    epoch: BigInt(epoch),
    offset: integer(offset) ?? null,
    txId: integer(txId) ?? null,
    source: readSource(source),
    ...optional('watermark', watermark),
    ...optional('readTo', readTo),
    ...optional('plan', plan),
  };
  return [name, position];
}

function integer(text: string | null | undefined): bigint | undefined {
  return text === null || text === undefined ? undefined : BigInt(text);
}

function readSource(text: string | null | undefined): SourceIdentity | null {
  const value: unknown = JSON.parse(text ?? 'null');
  return isIdentity(value) ? value : null;
}

/** What JSON.parse returns is canonical by construction: only its outer shape needs a look. */
function isIdentity(value: unknown): value is SourceIdentity {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
