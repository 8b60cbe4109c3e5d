/** The connector of the conformance tests in a process of its own, from what was built. */
import { postgresSink } from '@eos/postgres';
import { conformanceKey, conformanceSchema } from '@eos/testkit';

export function connector({ url, mode }) {
  const key = mode === 'upsert' ? { key: conformanceKey } : {};
  return postgresSink({ connection: url, table: 'conformance', schema: conformanceSchema, mode, ...key });
}
