/** Compaction and vacuum, again and again, while the writers write. */
import { setTimeout as delay } from 'node:timers/promises';
import { isEosError, messageOf } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import { s3Sink } from '@eos/s3';
import { pipelineOf, SINK, tableOptions, TABLES, WRITERS, type Table } from './task.js';

export interface Maintenance {
  readonly counts: { compactions: number; vacuums: number; deleted: number; overtaken: number };
  readonly problems: readonly string[];
  stop(): Promise<void>;
}

const PAUSE_MS = 5_000;

export function maintain(store: ObjectStore): Maintenance {
  const counts = { compactions: 0, vacuums: 0, deleted: 0, overtaken: 0 };
  const problems: string[] = [];
  const stopping = new AbortController();

  async function tryIt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // Overtaken, or the server was away: the next one does it.
      if (isEosError(error) && error.retryable) counts.overtaken += 1;
      else if (!isEosError(error, 'EOS_SCHEMA')) problems.push(messageOf(error));
    }
  }

  const working = (async () => {
    while (!stopping.signal.aborted) {
      await delay(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      for (const table of TABLES) {
        const { compact, vacuum } = abilitiesOf(store, table);
        if (table.visibility === 'log')
          await tryIt(async () => {
            await compact();
            counts.compactions += 1;
          });
        await tryIt(async () => {
          const { files } = await vacuum();
          counts.vacuums += 1;
          counts.deleted += files;
        });
      }
    }
  })();

  return {
    counts,
    problems,
    async stop() {
      stopping.abort();
      await working;
    },
  };
}

function abilitiesOf(store: ObjectStore, table: Table) {
  const { abilities } = s3Sink({ store, ...tableOptions(table) });
  const { compact, vacuum } = abilities ?? {};
  if (compact === undefined || vacuum === undefined) throw new Error('the sink can no maintenance');
  const context = { pipeline: pipelineOf(WRITERS[0], table), sink: SINK };
  return {
    compact: () => compact(context, { dryRun: false }),
    vacuum: () => vacuum(context, { dryRun: false }),
  };
}
