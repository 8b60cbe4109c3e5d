/**
 * Tests of a package that take minutes: `npm run proof -- <package>` runs them with all others, `npm test` leaves them out and says so.
 * @param {readonly string[]} names of test files, without `.test.ts`
 */
export function withoutSlowTests(names) {
  if (process.env.EOS_TEST_SLOW === '1') return {};
  process.stderr.write(`left to npm run proof: ${names.join(', ')}\n`);
  return { testPathIgnorePatterns: ['/node_modules/', ...names.map((name) => `/${name}\\.test\\.ts$`)] };
}
