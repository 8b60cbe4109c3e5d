/**
 * Where positions lie in a Delta table: as versions of applications (`txn` actions), which every writer keeps in checkpoints and every
 * reader shows. A version is one number of 63 bits, so a position is several applications:
 *
 *     eos/1/<pipeline>/<sink>/<partition>/<field>
 *
 * All of a position's fields change in one commit, so that a snapshot has them together.
 */
import { EosError, type PartitionId, type SinkContext } from '@eos/core';

/** Of this layout. */
const FORMAT = 1;

/**
 * - `epoch`, `offset`, `txId`, `owner`, `watermark`, `readTo`, `plan`: as they are.
 * - `has`: which of them there are, see `HAS`.
 * - `target`: digest of the id of the table.
 * - `source`: digest of the source's identity; its text is in `source.0`, `source.1`, …, of `source.bytes` bytes together.
 */
export type FieldName =
  | 'epoch'
  | 'offset'
  | 'txId'
  | 'owner'
  | 'watermark'
  | 'readTo'
  | 'plan'
  | 'has'
  | 'target'
  | 'source'
  | 'source.bytes'
  | `source.${number}`;

/** What all application ids of one (pipeline, sink) begin with. Neither name has a `/` in it. */
export function scopePrefix({ pipeline, sink }: SinkContext): string {
  return `eos/${FORMAT}/${pipeline}/${sink}/`;
}

export function applicationId(context: SinkContext, partition: PartitionId, field: FieldName): string {
  return `${scopePrefix(context)}${partition}/${field}`;
}

const OWNER = '/owner';

/**
 * The partitions of one (pipeline, sink) that have a record.
 * @throws EOS_FORMAT where a newer version of Eos has written records of it
 */
export function partitionsIn(applicationIds: Iterable<string>, context: SinkContext): readonly PartitionId[] {
  const prefix = scopePrefix(context);
  const newer = new RegExp(`^eos/(\\d+)/${escape(context.pipeline)}/${escape(context.sink)}/`);
  const found: PartitionId[] = [];
  for (const id of applicationIds) {
    if (!id.startsWith('eos/')) continue;
    if (id.startsWith(prefix)) {
      if (id.endsWith(OWNER)) found.push(id.slice(prefix.length, -OWNER.length));
    } else if (newer.test(id)) throw newerFormat(id);
  }
  return found;
}

function escape(name: string): string {
  return name.replaceAll('.', '\\.');
}

function newerFormat(id: string): EosError {
  const message = `the table has positions of a newer version of Eos (${id}): upgrade this process`;
  return new EosError('EOS_FORMAT', message, { details: { appId: id } });
}

/**
 * Names that are UTF-8: half of a surrogate pair would become another character, and two partitions one.
 * @throws EOS_RANGE
 */
export function checkPartitionName(partition: PartitionId): void {
  if (!/\p{Surrogate}/u.test(partition)) return;
  throw new EosError('EOS_RANGE', `the partition ${JSON.stringify(partition)} holds half a surrogate pair`, {
    details: { partition },
  });
}
