/**
 * What Eos keeps in the destination's own database: the schema `eos`. Claims and positions lie apart, because a position
 * that were updated in place would cost more at each commit for as long as any old snapshot is open.
 */
import { EosError } from '@eos/core';
import { inTransaction } from './begin.js';
import { COMMIT_FUNCTION, COMMIT_NAME } from './commit-function.js';
import type { Link } from '../connection/connection.js';

/** The newest layout of the records that this version reads and writes. */
export const FORMAT = 1;

/** Held while anything is made in the database: a number that no other program locks on (the letters `eos1`). */
const SETUP_LOCK = 'SELECT pg_catalog.pg_advisory_xact_lock(1701802801)';

const TABLES = `
CREATE SCHEMA IF NOT EXISTS eos;

-- Identity of each table that Eos writes to. A regclass stays the same through a rename, is dumped and restored by qualified
-- name, and is another one after the table was dropped and made again.
CREATE TABLE IF NOT EXISTS eos.targets (
  object regclass PRIMARY KEY,
  id text NOT NULL UNIQUE,
  format int NOT NULL
);

-- Who writes each partition. Written by recover alone, locked by every commit.
CREATE TABLE IF NOT EXISTS eos.claims (
  pipeline text COLLATE "C" NOT NULL,
  sink text COLLATE "C" NOT NULL,
  partition text COLLATE "C" NOT NULL,
  owner bigint,
  target text,
  backends jsonb NOT NULL DEFAULT '[]',
  format int NOT NULL,
  PRIMARY KEY (pipeline, sink, partition)
);

-- One row for each commit and partition; the newest epoch counts.
CREATE TABLE IF NOT EXISTS eos.positions (
  pipeline text COLLATE "C" NOT NULL,
  sink text COLLATE "C" NOT NULL,
  partition text COLLATE "C" NOT NULL,
  epoch bigint NOT NULL,
  next_offset bigint NOT NULL,
  tx_id bigint NOT NULL,
  owner bigint NOT NULL,
  watermark bigint,
  read_to bigint,
  plan bigint,
  source jsonb NOT NULL,
  format int NOT NULL,
  -- For people, as in a status: nothing is decided by a clock.
  committed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  PRIMARY KEY (pipeline, sink, partition, epoch)
);
`;

/** How many of the objects are there, and the grants on them that this role lacks. */
const STATE = `
-- A superuser counts as a member of every role, but has the most to lose.
WITH RECURSIVE mine(oid) AS (
  SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user
  UNION SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN mine ON m.member = mine.oid)
SELECT 'object', c.relname FROM pg_catalog.pg_class c
  WHERE c.relnamespace = pg_catalog.to_regnamespace('eos') AND c.relname IN ('targets', 'claims', 'positions')
UNION ALL
SELECT 'object', p.proname FROM pg_catalog.pg_proc p
  WHERE p.pronamespace = pg_catalog.to_regnamespace('eos') AND p.proname = '${COMMIT_NAME}'
UNION ALL
SELECT 'grant', 'USAGE ON SCHEMA eos' FROM pg_catalog.pg_namespace n
  WHERE n.nspname = 'eos' AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
UNION ALL
SELECT 'grant', needed.privilege || ' ON eos.' || c.relname FROM pg_catalog.pg_class c
  JOIN (VALUES ('targets', 'SELECT'), ('claims', 'SELECT'), ('claims', 'INSERT'), ('claims', 'UPDATE'),
    ('positions', 'SELECT'), ('positions', 'INSERT'), ('positions', 'DELETE')) AS needed(name, privilege)
    ON needed.name = c.relname
  WHERE c.relnamespace = pg_catalog.to_regnamespace('eos')
    AND NOT pg_catalog.has_table_privilege(c.oid, needed.privilege)
UNION ALL
SELECT 'grant', 'EXECUTE ON FUNCTION eos.${COMMIT_NAME}' FROM pg_catalog.pg_proc p
  WHERE p.pronamespace = pg_catalog.to_regnamespace('eos') AND p.proname = '${COMMIT_NAME}'
    AND NOT pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
UNION ALL
SELECT 'foreign', made.name || ' of ' || r.rolname FROM (
    SELECT 'schema eos', nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'eos'
    UNION ALL SELECT relname, relowner FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.to_regnamespace('eos')
      AND relname IN ('targets', 'claims', 'positions')
    -- By its name, for which there is an index: of the schema alone, every function of the database would be looked at.
    UNION ALL SELECT proname, proowner FROM pg_catalog.pg_proc
      WHERE proname = '${COMMIT_NAME}' AND pronamespace = pg_catalog.to_regnamespace('eos')
  ) AS made(name, owner) JOIN pg_catalog.pg_roles r ON r.oid = made.owner
  WHERE NOT r.rolsuper AND r.oid NOT IN (SELECT oid FROM mine)
    AND r.oid <> (SELECT datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
UNION ALL
SELECT 'create', '' WHERE pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')`;

const OBJECTS = 4;

/**
 * Makes what is missing of the schema `eos`. Where all is there, it only reads, so that a role with the least grants can
 * write rows.
 * @throws EOS_PERMISSION with the missing grants
 */
export async function ensureCatalog(link: Link): Promise<void> {
  const [answer] = await link.run(STATE);
  const state = answer?.rows ?? [];
  const named = (kind: string) => state.filter(([found]) => found === kind).map(([, name]) => String(name));
  const missing = named('grant');
  if (missing.length > 0) throw permissionError(missing);
  const foreign = named('foreign');
  if (foreign.length > 0) throw ownerError(foreign);
  if (named('object').length === OBJECTS) return;
  if (named('create').length === 0)
    throw permissionError(['CREATE ON DATABASE, once, to make the schema eos']);
  await inSetUp(link, `${TABLES} ${COMMIT_FUNCTION}`);
}

/** What reading positions takes. */
const TO_READ: ReadonlySet<string> = new Set([
  'USAGE ON SCHEMA eos',
  'SELECT ON eos.claims',
  'SELECT ON eos.positions',
]);

/** The grants on the schema `eos` that this role lacks to read positions. */
export async function missingToRead(link: Link): Promise<readonly string[]> {
  const [answer] = await link.run(STATE);
  return (answer?.rows ?? []).map(([, name]) => String(name)).filter((name) => TO_READ.has(name));
}

/** @throws EOS_FORMAT for records that a newer version has written */
export function checkFormat(format: string | null | undefined, record: string): void {
  if (Number(format ?? FORMAT) <= FORMAT) return;
  const message = `${record} has format ${String(format)}, and this version of @eos/postgres knows up to ${FORMAT}: upgrade it`;
  throw new EosError('EOS_FORMAT', message, { details: { format: Number(format), known: FORMAT } });
}

/** Triggers and functions run with the rights of whoever writes: their owner could be anybody who may create in the database. */
function ownerError(foreign: readonly string[]): EosError {
  const message =
    `whoever owns what lies in the schema eos decides what runs in this role's name, and these belong to none of a superuser, the ` +
    `database's owner, this role and a role it is a member of: ${foreign.join(', ')}. Change their owner (ALTER … OWNER TO)`;
  return new EosError('EOS_PERMISSION', message, { details: { foreign } });
}

export function permissionError(missing: readonly string[]): EosError {
  return new EosError('EOS_PERMISSION', `the database role needs: GRANT ${missing.join('; GRANT ')}`, {
    details: { missing },
  });
}

/** What makes anything in the database takes turns. */
export async function inSetUp(link: Link, text: string): Promise<void> {
  await inTransaction(link, `${SETUP_LOCK}; ${text}`);
}
