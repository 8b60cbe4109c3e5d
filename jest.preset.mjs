/** What every package's tests share: ESM, TypeScript by swc, and `@eos/*` resolved to its sources. */
const swc = {
  jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@eos/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '\\.ts$': ['@swc/jest', swc] },
  // For tests that hang. No test may depend on how fast the machine is.
  testTimeout: 120_000,
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  reporters: ['default', '<rootDir>/../../tools/jest/count-reporter.mjs'],
};
