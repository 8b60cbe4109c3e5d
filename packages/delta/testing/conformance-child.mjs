/** The connector of the conformance tests in a process of its own, from what was built. */
import { deltaSink } from '@eos/delta';
import { localObjectStore } from '@eos/object-store';
import { s3ObjectStore } from '@eos/object-store/s3';
import { conformanceKey, conformanceSchema } from '@eos/testkit';

export function connector({ root, s3, path, mode }) {
  const store = s3 === undefined ? localObjectStore({ root }) : s3ObjectStore(s3);
  const key = mode === 'upsert' ? { key: conformanceKey } : {};
  return deltaSink({ ...key, store, path, mode, schema: conformanceSchema });
}
