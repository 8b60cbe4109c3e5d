/** Rows that are set aside, and how tests get at them. */
import type { DeadLetter, DeadLetterQuery, DeadLetters } from '@eos/core';
import { commit, context, type Fixture, type Row } from '../database.testing.js';
import { postgresSink, type PostgresSinkOptions } from '../index.js';

export async function lettersOf(
  fixture: Fixture,
  options: Partial<PostgresSinkOptions> = {},
): Promise<DeadLetters> {
  const connection = fixture.database.url;
  const sink = postgresSink({ connection, table: 'flights', badRows: 'dead-letter', ...options });
  const letters = await sink.abilities?.deadLetters?.(context);
  if (letters === undefined) throw new Error('the sink keeps no dead letters');
  return letters;
}

export async function listed(letters: DeadLetters, query?: DeadLetterQuery): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  for await (const letter of letters.list(query)) all.push(letter);
  return all;
}

/** Rows of which all with a negative delay are rejected, until the check is dropped. */
export async function fill(
  fixture: Fixture,
  rows: readonly Row[],
  options: Partial<PostgresSinkOptions> = {},
): Promise<void> {
  await fixture.query('CREATE TABLE flights (id bigint, delay int, CONSTRAINT not_early CHECK (delay >= 0))');
  const sink = await fixture.open({
    table: 'flights',
    badRows: 'dead-letter',
    maxBadRows: Infinity,
    ...options,
  });
  await commit(await sink.recover(['0']), { rows });
  await sink.close();
}

export const early = (count: number): Row[] => Array.from({ length: count }, (_, id) => ({ id, delay: -1 }));
export const ids = 'SELECT id::int FROM flights ORDER BY id';
