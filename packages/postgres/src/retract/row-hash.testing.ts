import type { PostgresSinkOptions } from '../index.js';
import { failureOf, type Fixture } from '../database.testing.js';

/** Adds what a table lacks for retract, by the statements that the refusal says. */
export async function addRowHash(
  fixture: Fixture,
  sink: Omit<PostgresSinkOptions, 'connection'>,
): Promise<void> {
  const failure = await failureOf(fixture.open(sink));
  const [, fix] = /Add it: (ALTER TABLE .*?; CREATE INDEX .*?) —/.exec(failure.message) ?? [];
  if (fix === undefined) throw failure;
  await fixture.query(fix);
}
