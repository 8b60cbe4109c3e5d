/** Random tests name it in their title; `EOS_TEST_SEED` repeats them. */
export const seed = Number(process.env['EOS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
