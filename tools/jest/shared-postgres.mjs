/**
 * Starts one PostgreSQL for all test files of a package, where the environment names none and this machine can: to make a server
 * takes longer than most files need. Tests that restart or freeze theirs start their own all the same.
 */
import { startPostgres } from '@eos/services';

const VARIABLE = 'EOS_TEST_POSTGRES_URL';

export default async function start() {
  if ((process.env[VARIABLE] ?? '') !== '') return;
  // Where it cannot be started, each file says so, and is skipped or fails.
  const server = await startPostgres({ settings: { fsync: false } }).catch(() => undefined);
  if (server === undefined) return;
  process.env[VARIABLE] = server.url;
  globalThis.eosSharedPostgres = server;
}
