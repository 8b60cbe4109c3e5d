/** A position as a record: keyed by pipeline, sink and source partition, so that compaction keeps the newest. */
import {
  canonicalText,
  EosError,
  parsePosition,
  positionText,
  type PartitionId,
  type Position,
  type SinkContext,
} from '@eos/core';

/** Of the text of a value. A newer version of Eos that changes what it means counts up. */
const FORMAT = 1;

/** Also the transactional id. Neither a pipeline nor a sink has a slash in its name, so no two positions have the same. */
export function positionKey({ pipeline, sink }: SinkContext, partition: PartitionId): string {
  return `${pipeline}/${sink}/${partition}`;
}

/** What the keys of all positions of a sink begin with. */
export function positionKeyPrefix({ pipeline, sink }: SinkContext): string {
  return `${pipeline}/${sink}/`;
}

/** What is stored: the position, and when it was committed last. */
export interface StoredPosition {
  readonly position: Position;
  /** By the clock of the process that committed, in milliseconds since 1970; undefined at epoch 0. */
  readonly committedAt: number | undefined;
}

/** `{"committedAt":…,"format":1,"position":{…}}` */
export function positionValue({ position, committedAt }: StoredPosition): string {
  const time = committedAt === undefined ? '' : `"committedAt":${committedAt},`;
  return `{${time}"format":${FORMAT},"position":${positionText(position)}}`;
}

/** @throws EOS_FORMAT where the text is not a position, or one of a newer version */
export function parsePositionValue(text: string, key: string): StoredPosition {
  const { position, committedAt } = parseValue(text, key);
  if (typeof position !== 'object' || position === null)
    throw new EosError('EOS_FORMAT', `the record of ${key} holds no position: ${text.slice(0, 200)}`);
  return {
    position: parsePosition(JSON.stringify(position)),
    committedAt: typeof committedAt === 'number' ? committedAt : undefined,
  };
}

/**
 * What every partition of the topic holds once it was set up: that it had so many partitions then. A partition that was added later lacks
 * it, as does a topic whose records were deleted.
 */
export interface Layout {
  readonly partitions: number;
}

/** Can be the key of no position: it has one slash. */
export const LAYOUT_KEY = 'eos/layout';

export function layoutValue({ partitions }: Layout): string {
  return canonicalText({ format: FORMAT, partitions });
}

/** @throws EOS_FORMAT */
export function parseLayout(text: string): Layout {
  const { partitions } = parseValue(text, LAYOUT_KEY);
  if (typeof partitions !== 'number')
    throw new EosError('EOS_FORMAT', `the layout of a positions topic is damaged: ${text.slice(0, 200)}`);
  return { partitions };
}

function parseValue(text: string, key: string): Readonly<Record<string, unknown>> {
  const value = parseObject(text);
  const format = value?.['format'];
  if (value !== undefined && format === FORMAT) return value;
  const reason =
    typeof format === 'number'
      ? `is of format ${format}, and this version of Eos reads ${FORMAT}`
      : 'is damaged';
  throw new EosError('EOS_FORMAT', `the record of ${key} ${reason}: ${text.slice(0, 200)}`);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
