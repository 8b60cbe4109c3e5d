import { canonicalText } from './canonical.js';
import { EosError } from './errors.js';
import { MAX_INT64, type Owner, type PartitionId, type TxId } from './identifiers.js';
import type { JsonValue } from './schema.js';

/**
 * What an offset counts in (a file with these digests, a topic with this id): made and judged by the source, stored by sinks
 * unread. A JSON object; integers beyond 2^53 as decimal strings.
 */
export type SourceIdentity = { readonly [key: string]: JsonValue };

/** The record that the destination holds for one (pipeline, sink, source partition). */
export interface Position {
  /** How many commits this record has had. 0: claimed, never committed. */
  readonly epoch: bigint;
  /** Where reading starts again, in the source's own monotone count; null at epoch 0. */
  readonly offset: bigint | null;
  /** The transaction that wrote the record; null at epoch 0. */
  readonly txId: TxId | null;
  /** The session that claimed the partition last. */
  readonly owner: Owner;
  /** What `offset` counts in; null at epoch 0. */
  readonly source: SourceIdentity | null;
  /** Identity of the destination object: a random id that Eos keeps with it. */
  readonly target: string;
  /** With windows: the watermark as of `offset`, in microseconds since 1970. */
  readonly watermark?: bigint;
  /** With windows: how far output and side effects were already made. */
  readonly readTo?: bigint;
  /** With several sinks: number of the last plan applied to this partition. */
  readonly plan?: bigint;
}

export type Positions = ReadonlyMap<PartitionId, Position>;

/** How far a commit moves one partition. The sink sets epoch, txId, owner and target itself. */
export interface Advance {
  readonly offset: bigint;
  readonly source: SourceIdentity;
  readonly watermark?: bigint;
  readonly readTo?: bigint;
  readonly plan?: bigint;
}

export type Advances = ReadonlyMap<PartitionId, Advance>;

/** The record of a partition that was claimed and never committed. */
export function initialPosition(owner: Owner, target: string): Position {
  return { epoch: 0n, offset: null, txId: null, owner, source: null, target };
}

/** The record that a commit stores: `advance` on top of `from`, one epoch further. */
export function nextPosition(from: Position, advance: Advance, txId: TxId): Position {
  const { offset, source, watermark, readTo, plan } = advance;
  return {
    epoch: from.epoch + 1n,
    offset,
    txId,
    owner: from.owner,
    source,
    target: from.target,
    ...(watermark === undefined ? {} : { watermark }),
    ...(readTo === undefined ? {} : { readTo }),
    ...(plan === undefined ? {} : { plan }),
  };
}

/** The canonical text of a position, for stores that hold text: keys sorted, integers as decimal strings. */
export function positionText(position: Position): string {
  return canonicalText({ ...position });
}

/**
 * Reads {@link positionText} back.
 * @throws EOS_FORMAT where the text is not a position
 */
export function parsePosition(text: string): Position {
  const value = parseObject(text);
  const optional = (name: 'watermark' | 'readTo' | 'plan') =>
    value[name] === undefined ? {} : { [name]: integer(value[name], name, text) };
  return {
    epoch: integer(value['epoch'], 'epoch', text),
    offset: value['offset'] === null ? null : integer(value['offset'], 'offset', text),
    txId: value['txId'] === null ? null : integer(value['txId'], 'txId', text),
    owner: integer(value['owner'], 'owner', text),
    source: value['source'] === null ? null : parseIdentity(value['source'], text),
    target: typeof value['target'] === 'string' ? value['target'] : malformed('target', text),
    ...optional('watermark'),
    ...optional('readTo'),
    ...optional('plan'),
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Reported below, with the text at fault.
  }
  return malformed('record', text);
}

function integer(value: unknown, name: string, text: string): bigint {
  if (typeof value !== 'string' || !/^-?\d{1,19}$/.test(value)) return malformed(name, text);
  const number = BigInt(value);
  // Only a watermark can lie before 1970.
  const least = name === 'watermark' ? -MAX_INT64 - 1n : 0n;
  return number >= least && number <= MAX_INT64 ? number : malformed(name, text);
}

function parseIdentity(value: unknown, text: string): SourceIdentity {
  return isCanonicalRecord(value) ? value : malformed('source', text);
}

function malformed(name: string, text: string): never {
  throw new EosError('EOS_FORMAT', `no valid position (${name}): ${text.slice(0, 200)}`, {
    details: { name },
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What JSON.parse returns is canonical by construction: only its outer shape needs a look. */
function isCanonicalRecord(value: unknown): value is SourceIdentity {
  return isRecord(value);
}
