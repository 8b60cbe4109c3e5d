import preset from '../../jest.preset.mjs';

export default {
  ...preset,
  globalSetup: '../../tools/jest/shared-postgres.mjs',
  globalTeardown: '../../tools/jest/stop-shared-postgres.mjs',
};
