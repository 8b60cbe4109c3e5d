/** What `npm test` leaves out: the requests of claims, and of a file in parts. */
import { strikeServer } from './server-strikes.testing.js';

const small = { rowBytes: 10, rowsPerFile: 5 };

strikeServer([
  // Next slot, claim.
  ['a claim', 2, { visibility: 'log', struck: 'recover', ...small }],
  // Begin, two parts, completion; entry: one less than parts + 3 × multipart files + 1.
  ['a file in parts', 5, { visibility: 'log', struck: 'transaction', rowBytes: 900_000, rowsPerFile: 10 }],
  // Next slot, the commit before, the uploads that there are, its two files; claim.
  ['a claim that finds a commit to complete', 6, { visibility: 'listing', struck: 'recover', ...small }],
]);
