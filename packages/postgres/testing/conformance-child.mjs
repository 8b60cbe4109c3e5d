/** The connector of the conformance tests in a process of its own, from what was built. */
import { postgresSink } from '@eos/postgres';
import { conformanceKey, conformanceSchema } from '@eos/testkit';

export function connector({ url, mode, tables, badRows }) {
  const options = { connection: url, mode, badRows, ...(mode === 'upsert' ? { key: conformanceKey } : {}) };
  if (tables.length === 1) {
    const search = mode === 'retract' && badRows === 'dead-letter' ? { requireRowHash: false } : {};
    return postgresSink({ ...options, ...search, table: tables[0], schema: conformanceSchema });
  }
  const routes = tables.map((table) => [table, { schema: conformanceSchema }]);
  const by = ({ id }) => tables[Number(BigInt.asUintN(64, BigInt(id)) % BigInt(tables.length))];
  return postgresSink({ ...options, route: { by, tables: Object.fromEntries(routes) } });
}
