/** The connector of the conformance tests in a process of its own, from what was built. */
import { deltaSink } from '@eos/delta';
import { localObjectStore } from '@eos/object-store';
import { conformanceKey, conformanceSchema } from '@eos/testkit';

export function connector({ root, path, mode }) {
  const key = mode === 'upsert' ? { key: conformanceKey } : {};
  return deltaSink({ ...key, store: localObjectStore({ root }), path, mode, schema: conformanceSchema });
}
