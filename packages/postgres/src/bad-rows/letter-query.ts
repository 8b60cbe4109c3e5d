/** Which letters are asked for: checked, since it becomes part of a statement. */
import { EosError, type DeadLetterQuery } from '@eos/core';
import { literal } from '../connection/identifiers.js';

/**
 * SQL: whether a letter `l` is one of those asked for, their number aside.
 * @throws EOS_CONFIG with the name of the option
 */
export function isAsked({ ids, partition }: DeadLetterQuery): string {
  const asked = ids?.map(idOf);
  return [
    ...(asked === undefined ? [] : [asked.length === 0 ? 'false' : `l.id IN (${asked.join(', ')})`]),
    ...(partition === undefined ? [] : [`l.partition = ${literal(partitionOf(partition))}`]),
    'true',
  ].join(' AND ');
}

/**
 * How many at most; Infinity for all.
 * @throws EOS_CONFIG
 */
export function limitOf({ limit }: DeadLetterQuery): number {
  if (limit === undefined || limit === Infinity) return Infinity;
  if (Number.isSafeInteger(limit) && limit >= 1) return limit;
  return fail('limit', `must be a whole number from 1, or Infinity, and is ${shown(limit)}`);
}

function idOf(id: unknown): string {
  if (typeof id === 'string' && /^\d{1,18}$/.test(id)) return id;
  return fail('ids', `${shown(id)} is no id of a dead letter: they are whole numbers, as text`);
}

function partitionOf(partition: unknown): string {
  if (typeof partition === 'string' && !partition.includes('\0')) return partition;
  return fail('partition', `must be the name of a partition, and is ${shown(partition)}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function fail(option: keyof DeadLetterQuery, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
