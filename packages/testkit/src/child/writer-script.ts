import {
  Op,
  type Advance,
  type ChangeBatch,
  type ChangelogMode,
  type SinkConnector,
  type SinkSession,
} from '@eos/core';
import type { Change } from '../oracle/expected-rows.js';
import type { ConformanceRow } from '../conformance/schema.js';
import { badRow, batchOf, changelogOf, seededDraws, wideRow } from '../conformance/workload.js';

/** What a writer in a process of its own does, on partition `0` of pipeline `pipeline`, sink `sink`. */
export type WriterScript = ChangelogScript | LargeScript;

/** Writes a seeded changelog from where the destination is to its end, in commits of some changes. */
export interface ChangelogScript {
  readonly kind: 'changelog';
  readonly changelog: ChangelogMode;
  readonly seed: number;
  /** How many draws the changelog is made of; some give two changes. */
  readonly draws: number;
  readonly changesPerCommit: number;
  /** Behind each so many changes stands a bad row, which is none of the changelog. */
  readonly badEvery?: number;
}

/** Writes rows of `bytes` characters each in one transaction. */
export interface LargeScript {
  readonly kind: 'large';
  readonly rows: number;
  readonly bytes: number;
}

export interface WriterResult {
  readonly commits: number;
  /** The largest resident size of the process so far. */
  readonly peakBytes: number;
}

/** What the positions of the scripts count in. */
export const SCRIPT_SOURCE = { kind: 'script' };

const BATCH_ROWS = 1_000;

export async function runScript(
  connector: SinkConnector<ConformanceRow>,
  script: WriterScript,
): Promise<WriterResult> {
  const sink = await connector.open({ pipeline: 'pipeline', sink: 'sink' });
  try {
    const session = await sink.recover(['0']);
    const commits =
      script.kind === 'large' ? await writeLarge(session, script) : await writeChangelog(session, script);
    return { commits, peakBytes: process.resourceUsage().maxRSS * 1024 };
  } finally {
    await sink.close();
  }
}

/** The changes of a script: the same in every process. */
export function scriptChanges({
  changelog,
  seed,
  draws,
  badEvery = Infinity,
}: ChangelogScript): Change<ConformanceRow>[] {
  return changelogOf({ changelog }, seededDraws(seed, draws)).flatMap((change, index) =>
    index % badEvery === badEvery - 1 ? [change, { row: badRow(BAD_IDS + index), op: Op.insert }] : [change],
  );
}

/** Far from those of the changelog. */
const BAD_IDS = 1_000_000;

async function writeChangelog(
  session: SinkSession<ConformanceRow>,
  script: ChangelogScript,
): Promise<number> {
  const changes = scriptChanges(script);
  let commits = 0;
  for (let first = offsetOf(session); first < changes.length; first = offsetOf(session)) {
    const end = Math.min(changes.length, first + script.changesPerCommit);
    await commitBatches(session, [batchOf(changes, '0', first, end)], end);
    commits++;
  }
  return commits;
}

async function writeLarge(
  session: SinkSession<ConformanceRow>,
  { rows, bytes }: LargeScript,
): Promise<number> {
  await commitBatches(session, wideBatches(rows, bytes), rows);
  return 1;
}

async function commitBatches(
  session: SinkSession<ConformanceRow>,
  batches: Iterable<ChangeBatch<ConformanceRow>>,
  end: number,
): Promise<void> {
  const transaction = await session.begin();
  for (const batch of batches) await transaction.write(batch);
  await transaction.prepare();
  const advance: Advance = { offset: BigInt(end), source: SCRIPT_SOURCE };
  await transaction.commit({ from: session.positions, to: new Map([['0', advance]]) });
}

function* wideBatches(rows: number, bytes: number): Generator<ChangeBatch<ConformanceRow>> {
  for (let first = 0; first < rows; first += BATCH_ROWS) {
    const count = Math.min(BATCH_ROWS, rows - first);
    yield {
      partition: '0',
      rows: Array.from({ length: count }, (_, index) => wideRow(first + index, bytes)),
    };
  }
}

function offsetOf(session: SinkSession<ConformanceRow>): number {
  return Number(session.positions.get('0')?.offset ?? 0n);
}
