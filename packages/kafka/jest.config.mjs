import preset from '../../jest.preset.mjs';
import { withoutSlowTests } from '../../tools/jest/slow-tests.mjs';

export default { ...preset, ...withoutSlowTests(['rolling']) };
