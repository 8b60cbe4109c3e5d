/** What the tables hold, held against the changes. */
import { Client } from 'pg';
import { changeAt, keysOf } from './changes.js';
import type { TopicCheck } from './reader.js';

/** The log has a row for each record; the table has the last version of each key that was not deleted last. */
export async function checkTables(
  url: string,
  changes: number,
): Promise<{ readonly log: TopicCheck; readonly table: TopicCheck }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return { log: await checkLog(client, changes), table: await checkTable(client, changes) };
  } finally {
    await client.end();
  }
}

async function checkLog(client: Client, changes: number): Promise<TopicCheck> {
  const { rows } = await client.query<Record<'found' | 'records' | 'unlike', string>>(
    `SELECT count(*) AS found, count(DISTINCT (partition, record)) AS records,
       (SELECT count(*) FROM (SELECT id, array_agg(version ORDER BY record) AS have FROM change_log GROUP BY id) k
        WHERE have IS DISTINCT FROM (
          SELECT array_agg(CASE WHEN (k.id + v) % 5 = 4 THEN NULL ELSE v END ORDER BY v)
          FROM generate_series(0, (($1 - k.id + $2 - 1) / $2 - 1)::int) v)) AS unlike
     FROM change_log`,
    [changes, keysOf(changes)],
  );
  const [found, records, unlike] = [rows[0]?.found, rows[0]?.records, rows[0]?.unlike].map((count) =>
    Number(count ?? 0),
  );
  return {
    found: found ?? 0,
    lost: Math.max(0, changes - (records ?? 0)),
    duplicated: (found ?? 0) - (records ?? 0),
    disordered: unlike ?? 0,
  };
}

async function checkTable(client: Client, changes: number): Promise<TopicCheck> {
  const keys = keysOf(changes);
  const expected = new Map<bigint, number>();
  for (let index = Math.max(0, changes - keys); index < changes; index++) {
    const { row } = changeAt(index, keys);
    if (row.version !== null) expected.set(row.id, row.version);
  }
  const { rows } = await client.query<{ id: string; version: number }>('SELECT id, version FROM changed');
  let disordered = 0;
  for (const { id, version } of rows) {
    const want = expected.get(BigInt(id));
    if (want !== version) disordered += 1;
    expected.delete(BigInt(id));
  }
  return { found: rows.length, lost: expected.size, duplicated: 0, disordered };
}
