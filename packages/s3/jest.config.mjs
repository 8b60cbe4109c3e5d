import preset from '../../jest.preset.mjs';
import { withoutSlowTests } from '../../tools/jest/slow-tests.mjs';

export default {
  ...preset,
  ...withoutSlowTests(['s3.conformance', 'every.conformance', 'server-claims.crash']),
};
