/** The two variants that, between them, take every path of the sink: the proof has all, on all stores. */
import { LISTED, UPSERT } from './conformance.testing.js';
import { conformanceInFolder } from './local.testing.js';

conformanceInFolder(UPSERT);
conformanceInFolder(LISTED);
