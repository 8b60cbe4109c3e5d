import { appendCase } from './append.js';
import type { BenchCase } from './case.js';
import { commitLatencyCase, distanceCase, roundTripCase } from './commits.js';
import { deadLetterCase } from './dead-letters.js';
import { killCase } from './kill.js';
import { memoryCase } from './memory.js';
import { recoverCase } from './recover.js';
import { halfRetractionsCase, retractInsertsCase } from './retract.js';
import { largeCase, routingCase, wideCase } from './shapes.js';
import { mixedCase, upsertExistingCase, upsertNewCase } from './upsert.js';

/** Every case of the suite `postgres`, in the order of the report. */
export const POSTGRES_CASES: readonly BenchCase[] = [
  appendCase(5_000),
  appendCase(20_000),
  deadLetterCase(5_000),
  upsertNewCase(5_000, { copy: 0.75, values: 1.8 }),
  upsertNewCase(20_000, { copy: 0.6 }),
  upsertExistingCase(5_000),
  mixedCase(5_000),
  retractInsertsCase(5_000),
  halfRetractionsCase(5_000),
  routingCase(),
  wideCase(),
  largeCase(),
  roundTripCase(),
  commitLatencyCase(0),
  commitLatencyCase(5),
  commitLatencyCase(50),
  distanceCase('append', 5),
  distanceCase('append', 50),
  distanceCase('upsert', 5),
  distanceCase('upsert', 50),
  recoverCase(),
  killCase(),
  memoryCase('append'),
  memoryCase('upsert'),
];
