/** With `s3.conformance`, what `npm test` leaves out: the other variants, formats that DuckDB reads back here, and a second server. */
import { APPEND, CSV, LISTED, PARQUET, UPSERT } from './conformance.testing.js';
import { conformanceInFolder } from './local.testing.js';
import { conformanceOnServer } from './server.testing.js';

conformanceInFolder(APPEND);
conformanceInFolder(CSV);
conformanceInFolder(PARQUET);
conformanceOnServer('versitygw', [UPSERT, LISTED]);
conformanceOnServer('moto', [APPEND, UPSERT, LISTED]);
