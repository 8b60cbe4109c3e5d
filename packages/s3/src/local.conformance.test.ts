/** With `append` on a real server beside it, `npm test` has every variant once: the proof has all on all. */
import { LISTED, UPSERT } from './conformance.testing.js';
import { conformanceInFolder } from './local.testing.js';

conformanceInFolder(UPSERT);
conformanceInFolder(LISTED);
