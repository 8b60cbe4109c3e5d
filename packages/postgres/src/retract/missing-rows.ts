/** Rows that were to go and are not there: the end of the transaction, or counted. */
import { EosError, type PartitionId, type RejectedRows } from '@eos/core';
import type { MissingRow } from '../options.js';
import type { Short } from './retract-statements.js';
import type { Places } from './retractions.js';

export interface MissingRows {
  /** @throws EOS_ROW with partition and offset, unless they are to be counted */
  judge(short: readonly Short[]): void;
  /** How many copies were counted, by the partition that they were to go by; and for each of these one error, with the offset where it is known. */
  readonly counted: RejectedRows;
}

export function missingRows(missingRow: MissingRow, table: string, partitions: Places): MissingRows {
  const counts = new Map<PartitionId, number>();
  const examples: EosError[] = [];
  return {
    counted: { counts, examples },
    judge(short) {
      for (const part of short) {
        const partition = partitions.partitionOf(part.place);
        const error = missingError(table, part, partition);
        if (missingRow === 'fail') throw error;
        if (partition !== undefined) counts.set(partition, (counts.get(partition) ?? 0) + part.copies);
        examples.push(error);
      }
    },
  };
}

function missingError(
  table: string,
  { rows, copies, offset }: Short,
  partition: PartitionId | undefined,
): EosError {
  const where = `partition ${String(partition)}${offset === undefined ? '' : `, offset ${offset}`}`;
  const more = copies === 1 ? '' : ` (${copies} copies of ${rows} rows are missing, this one first)`;
  const fix = `Where that is to be expected, set missingRow: 'count'`;
  const message = `${where}: a row is taken back that is not in ${table}${more}. ${fix}`;
  const place = offset === undefined ? { partition } : { partition, offset };
  return new EosError('EOS_ROW', message, { details: { ...place, missing: copies } });
}
