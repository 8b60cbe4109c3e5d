import { randomBytes } from 'node:crypto';

import { escapeIdentifier } from 'pg';

import { createDatabase, databaseAt, withClient } from './database.js';
import type { PostgresAddress, TestDatabase } from './types.js';

/** What a test leaves as a rule lies in schemas. A limit, because somebody may hold locks all the same. */
const EMPTY = `
SET statement_timeout = '10s';
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
END $$;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
COMMENT ON SCHEMA public IS 'standard public schema';
GRANT USAGE ON SCHEMA public TO PUBLIC;`;

/** What it may have left elsewhere. Before version 15 a new database has another schema public. */
const IS_EMPTY = `
SELECT current_setting('server_version_num')::int >= 150000
  AND datacl IS NULL
  AND NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = d.oid)
  AND NOT EXISTS (
    SELECT FROM (
      SELECT oid FROM pg_extension UNION ALL SELECT oid FROM pg_event_trigger UNION ALL SELECT oid FROM pg_publication
      UNION ALL SELECT oid FROM pg_cast UNION ALL SELECT oid FROM pg_language UNION ALL SELECT oid FROM pg_default_acl
      UNION ALL SELECT oid FROM pg_foreign_data_wrapper UNION ALL SELECT oid FROM pg_largeobject_metadata
    ) AS made WHERE oid >= 16384) AS "isEmpty"
FROM pg_database d WHERE datname = current_database()`;

export interface DatabasePool {
  /** A database of one's own. One of a given name is made and dropped for good. */
  readonly take: (name?: string) => Promise<TestDatabase>;
  /** Drops those that wait to be handed out again. */
  readonly clear: () => Promise<void>;
}

/**
 * Makes databases, and hands out again, emptied and under another name, those that were dropped: a new one means hundreds of new
 * files, which takes longer than most tests.
 */
export function databasePool(admin: PostgresAddress): DatabasePool {
  const free: string[] = [];
  return {
    async take(name) {
      if (name !== undefined) return createDatabase(admin, name);
      const former = free.pop();
      const database = await (former === undefined ? createDatabase(admin) : renamed(admin, former));
      let dropping: Promise<void> | undefined;
      const drop = async (): Promise<void> => {
        if (await isEmptied(admin, database)) free.push(database.database);
        else await database.drop();
      };
      return { ...database, drop: () => (dropping ??= drop()) };
    },
    async clear() {
      for (const name of free.splice(0)) await databaseAt(admin, name).drop();
    },
  };
}

async function renamed(admin: PostgresAddress, former: string): Promise<TestDatabase> {
  const name = `eos_test_${randomBytes(6).toString('hex')}`;
  const [from, to] = [former, name].map(escapeIdentifier);
  const rename = `ALTER DATABASE ${from} RENAME TO ${to}; ALTER DATABASE ${to} ALLOW_CONNECTIONS true`;
  await withClient(admin.url, (client) => client.query(rename));
  return databaseAt(admin, name);
}

/** Empties a database and keeps everybody out of it. False where it is better dropped: what is in the way shows then. */
async function isEmptied(admin: PostgresAddress, { url, database }: TestDatabase): Promise<boolean> {
  const close = `ALTER DATABASE ${escapeIdentifier(database)} ALLOW_CONNECTIONS false`;
  try {
    return await withClient(url, async (client) => {
      await withClient(admin.url, (other) => other.query(close));
      await client.query(EMPTY);
      const { rows } = await client.query<{ isEmpty: boolean }>(IS_EMPTY);
      return rows[0]?.isEmpty === true;
    });
  } catch {
    return false;
  }
}
