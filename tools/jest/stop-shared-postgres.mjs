/** Stops what `shared-postgres.mjs` has started. */
export default async function stop() {
  await globalThis.eosSharedPostgres?.stop();
}
