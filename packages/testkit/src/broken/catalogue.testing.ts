import type { ChangelogMode } from '@eos/core';
import { brokenAtomicity } from './broken-atomicity.testing.js';
import { brokenClaims } from './broken-claims.testing.js';
import { brokenComparisons } from './broken-comparisons.testing.js';
import { brokenDeadLetters } from './broken-dead-letters.testing.js';
import { brokenOutcomes } from './broken-outcomes.testing.js';
import { brokenPort } from './broken-port.testing.js';
import { brokenPositions } from './broken-positions.testing.js';
import { brokenRows } from './broken-rows.testing.js';
import { brokenTargets } from './broken-targets.testing.js';
import type { MemoryDestinationOptions } from '../memory/memory-destination.js';

/** A sink that breaks one rule, and the group of the suite that must notice. */
export interface BrokenSink {
  readonly name: string;
  readonly caughtBy: string;
  readonly mode?: ChangelogMode;
  readonly connect: NonNullable<MemoryDestinationOptions['connect']>;
}

export const brokenSinks: readonly BrokenSink[] = [
  ...brokenPort,
  ...brokenPositions,
  ...brokenAtomicity,
  ...brokenClaims,
  ...brokenComparisons,
  ...brokenOutcomes,
  ...brokenTargets,
  ...brokenRows,
  ...brokenDeadLetters,
];
