/** The seed of a test run: EOS_TEST_SEED, or another one each time. */
export function testSeed(): number {
  const given = process.env['EOS_TEST_SEED'];
  return given === undefined ? 1 + Math.floor(Math.random() * 2 ** 31) : Number(given);
}
