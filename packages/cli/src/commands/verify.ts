/** `eos verify`: a destination held against its source. */
import { resolve } from 'node:path';
import {
  EosError,
  type PartitionId,
  type ReadTableOptions,
  type SinkConnector,
  type Transform,
} from '@eos/core';
import { isForPrograms, type Command, type CommandCall } from '../command.js';
import { loadPipeline, type ConfiguredRow, type LoadedPipeline } from '../configuration/load.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { verifyProgress } from '../verify/progress.js';
import { reportText } from '../verify/report-text.js';
import type { Verdict, VerifyReport } from '../verify/report.js';
import { verify } from '../verify/verify.js';

export const command: Command = {
  name: 'verify',
  summary: 'Tells which rows of the destination are lost, doubled, changed or foreign',
  operands: '<pipeline>',
  operandCount: { least: 1, most: 1 },
  description: `Reads the source again up to the stored positions, transforms it, and compares what should be there with
what is, as of one moment: the pipeline may run meanwhile. Reads only. Memory stays the same whatever
the number of rows; the rows in question, and a few bytes for each change of an upsert, go to
temporary files. In a pipe, and with --json, it prints one JSON object.
A transform that does not give the same rows again cannot be verified: exit code 5.`,
  options: {
    json: { type: 'boolean', description: 'prints JSON in a terminal too' },
    limit: { type: 'string', value: 'rows', description: 'how many rows of each kind to name (default 20)' },
    key: {
      type: 'string',
      value: 'columns',
      description: 'what tells rows apart (default: the key of the sink, or of the table)',
    },
    from: {
      type: 'string',
      value: 'partition=offset',
      description: 'only changes from there on, commas between several; implies --older-rows',
    },
    'older-rows': {
      type: 'boolean',
      description: 'does not judge rows that may have been there before Eos',
    },
    temp: { type: 'string', value: 'folder', description: `for temporary files (default: the system's)` },
  },
  examples: [
    'eos verify pipeline.yaml',
    'eos verify pipeline.yaml --key id --limit 100',
    `eos verify pipeline.yaml | jq '.rows[] | select(.kind == "lost") | .offset'`,
  ],
  async run(call) {
    const asked = askedFor(call);
    const loaded = await loadPipeline(call.operands[0] ?? '', call.io);
    try {
      const report = shown(await verifyIt(loaded, asked, call), loaded);
      call.io.stdout.write(`${isForPrograms(call) ? JSON.stringify(report) : reportText(report)}\n`);
      return EXITS[report.verdict];
    } catch (error) {
      if (call.io.stop.aborted) return EXIT.stopped;
      throw loaded.explain(error);
    }
  },
};

/** The rows are what they are; a number that a variable happens to hold stays a number. */
function shown(report: VerifyReport, { hide }: LoadedPipeline): VerifyReport {
  const { source, destination, notes } = report;
  return { ...report, source: hide(source), destination: hide(destination), notes: notes.map(hide) };
}

const EXITS: Readonly<Record<Verdict, ExitCode>> = {
  equal: EXIT.done,
  different: EXIT.failed,
  unrepeatable: EXIT.unverifiable,
};

interface Asked {
  readonly limit: number;
  readonly read: ReadTableOptions;
  readonly starts?: ReadonlyMap<PartitionId, bigint>;
  readonly hasOlderRows?: boolean;
  readonly temporaryFolder?: string;
}

async function verifyIt(
  { options }: LoadedPipeline,
  { read, ...asked }: Asked,
  call: CommandCall,
): Promise<VerifyReport> {
  const { id, source, sinks, transform = passThrough, changelog = source.changelog } = options;
  const [[name, connector] = missingSink()] = Object.entries(sinks);
  const context = { pipeline: id, sink: name };
  const snapshot = await readTable(name, connector, context, read);
  const progress = verifyProgress(call);
  try {
    return await verify({
      ...asked,
      context,
      source,
      transform,
      changelog,
      mode: connector.capabilities.changelog,
      snapshot,
      signal: call.io.stop,
      onProgress: progress.show,
    });
  } finally {
    progress.stop();
    await snapshot.close();
  }
}

/** Rows of the source are rows of the sink. */
const passThrough: Transform<ConfiguredRow, ConfiguredRow> = (batch) => batch;

async function readTable(
  name: string,
  { abilities, description }: SinkConnector<ConfiguredRow>,
  context: { readonly pipeline: string; readonly sink: string },
  options: ReadTableOptions,
) {
  if (abilities?.readTable !== undefined) return await abilities.readTable(context, options);
  throw new EosError('EOS_CONFIG', `${name} (${description}) cannot be read back, so it cannot be verified`);
}

function missingSink(): never {
  throw new EosError('EOS_CONFIG', 'sinks must hold one sink');
}

/** @throws EOS_CONFIG */
function askedFor({ options, io }: CommandCall): Asked {
  const { key, from, temp } = options;
  return {
    limit: limitOf(options['limit']),
    read: typeof key === 'string' ? { key: key.split(',') } : {},
    ...(typeof from === 'string' ? { starts: startsOf(from) } : {}),
    ...(options['older-rows'] === true ? { hasOlderRows: true } : {}),
    ...(typeof temp === 'string' ? { temporaryFolder: resolve(io.folder, temp) } : {}),
  };
}

function limitOf(text: string | boolean | undefined): number {
  const limit = Number(text ?? 20);
  if (Number.isInteger(limit) && limit >= 0 && limit <= 1_000_000) return limit;
  throw new EosError('EOS_CONFIG', '--limit must be a whole number from 0 to 1,000,000');
}

/** The name of a partition may hold anything, also `=`. */
function startsOf(text: string): ReadonlyMap<PartitionId, bigint> {
  const starts = new Map<PartitionId, bigint>();
  for (const part of text.split(',')) {
    const [, partition, offset] = /^(.+)=(\d{1,19})$/.exec(part) ?? [];
    if (partition === undefined || offset === undefined)
      throw new EosError('EOS_CONFIG', '--from must be partition=offset, with commas between several');
    starts.set(partition, BigInt(offset));
  }
  return starts;
}
