import { APPEND } from './conformance.testing.js';
import { conformanceOnServer } from './server.testing.js';

conformanceOnServer('versitygw', [APPEND]);
