/** The core under test: the real one, or a copy with one rule broken. */
import * as published from '@eos/core';
import { pipelineIn } from '@eos/core/simulation';

/** What the simulation takes from the core. Nothing else of it may be used where the simulation judges. */
export type Core = Pick<
  typeof published,
  'defineSink' | 'judgeClaim' | 'judgeCommit' | 'judgeTarget' | 'initialPosition' | 'EosError'
> & { readonly pipelineIn: typeof pipelineIn };

export const realCore: Core = { ...published, pipelineIn };
