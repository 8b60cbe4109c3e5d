/** The connector of the conformance tests in a process of its own, from what was built. */
import { deltaSink } from '@eos/delta';
import { conformanceKey, conformanceSchema } from '@eos/testkit';

export function connector({ place, path, mode }) {
  const key = mode === 'upsert' ? { key: conformanceKey } : {};
  return deltaSink({ ...key, ...place, path, mode, schema: conformanceSchema });
}
