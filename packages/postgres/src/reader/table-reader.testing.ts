/** Reading a table back, in few words. */
import type { TableSnapshot } from '@eos/core';
import { batchOf, context, type Changes, type Fixture } from '../database.testing.js';
import { postgresSink, type PostgresSinkOptions } from '../index.js';

export type Options = Omit<PostgresSinkOptions, 'connection'>;

export async function snapshotOf(
  fixture: Fixture,
  options: Options,
  key?: readonly string[],
): Promise<TableSnapshot> {
  const { abilities } = postgresSink({ connection: fixture.database.url, ...options });
  const snapshot = await abilities?.readTable?.(context, key === undefined ? {} : { key });
  if (snapshot === undefined) throw new Error('a table cannot be read');
  return snapshot;
}

export function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString().split('\n').slice(0, -1);
}

export async function foundLines(snapshot: TableSnapshot): Promise<string[]> {
  const lines: string[] = [];
  for await (const block of snapshot.rows()) lines.push(...linesOf(block));
  return lines;
}

export async function encodedLines(snapshot: TableSnapshot, changes: Changes): Promise<string[]> {
  return linesOf((await snapshot.encoder()(batchOf(changes))).lines);
}
