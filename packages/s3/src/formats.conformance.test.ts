/** The formats that DuckDB reads back here: one of text as it is appended, one with columns as it is folded. */
import { conformance } from '@eos/testkit';
import { describe, expect, test } from '@jest/globals';
import { destinationIn, variantName, type Variant } from './conformance.testing.js';
import { localLaboratory } from './local.testing.js';

const FORMATS: readonly Variant[] = [
  { mode: 'append', visibility: 'log', format: 'csv' },
  { mode: 'upsert', visibility: 'log', format: 'parquet' },
];

for (const variant of FORMATS) {
  conformance({
    describe,
    test,
    expect,
    name: `s3 in a local folder: ${variantName(variant)}`,
    create: async () => destinationIn(await localLaboratory(), variant),
  });
}
