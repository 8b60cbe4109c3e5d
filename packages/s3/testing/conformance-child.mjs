/** The connector of the conformance tests in a process of its own, from what was built. */
import { s3Sink } from '@eos/s3';
import { conformanceKey, conformanceSchema } from '@eos/testkit';

export function connector({ store, mode, visibility, format }) {
  const key = mode === 'upsert' ? { key: conformanceKey } : {};
  return s3Sink({ ...store, mode, visibility, format, ...key, schema: conformanceSchema });
}
