/** Every HTTP request of a commit to a real server is struck, in every way. */
import { strikeServer } from './server-strikes.testing.js';

const small = { rowBytes: 10, rowsPerFile: 5 };

strikeServer([
  // Two files, entry: files + 1.
  ['two files', 3, { visibility: 'log', struck: 'transaction', ...small }],
  // Twice begin, part and completion; entry.
  ['two listed files', 7, { visibility: 'listing', struck: 'transaction', ...small }],
]);
