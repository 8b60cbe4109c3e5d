import preset from '../../jest.preset.mjs';

export default {
  ...preset,
  // While one file waits for the server, another one can go on: jest alone would take a single worker where there are two cores.
  maxWorkers: 2,
  globalSetup: '../../tools/jest/shared-postgres.mjs',
  globalTeardown: '../../tools/jest/stop-shared-postgres.mjs',
};
