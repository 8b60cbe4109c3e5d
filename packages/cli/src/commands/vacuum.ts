/** `eos vacuum`: deletes files that a destination does not need any more. */
import type { VacuumReport } from '@eos/core';
import { isForPrograms, type Command } from '../command.js';
import { loadPipeline } from '../configuration/load.js';
import { EXIT } from '../exit-codes.js';
import { amount, counted } from '../numbers.js';
import { ableSink } from './able-sink.js';

const WORDS = { can: 'be vacuumed', does: 'can be vacuumed' };

export const command: Command = {
  name: 'vacuum',
  summary: 'Deletes files that a destination does not need any more',
  operands: '<pipeline>',
  operandCount: { least: 1, most: 1 },
  description: `Those of transactions that were never committed, and those that eos compact has merged. Only tells which,
unless --delete is given. May be run at any time: what a running writer may still commit is kept, as only
files are looked at that were begun before the vacuum before this one. So the first one deletes nothing.
States of the table from before the last compaction cannot be read any more afterwards.
In a pipe, and with --json, prints one JSON object.`,
  options: {
    sink: { type: 'string', value: 'name', description: 'this sink; needed where several can be vacuumed' },
    delete: { type: 'boolean', description: 'deletes them' },
    json: { type: 'boolean', description: 'prints JSON in a terminal too' },
  },
  examples: ['eos vacuum pipeline.yaml', 'eos vacuum pipeline.yaml --delete'],
  async run(call) {
    const { io, options } = call;
    const loaded = await loadPipeline(call.operands[0] ?? '', io);
    try {
      const { ability: vacuum, context } = ableSink(loaded, 'vacuum', options['sink'], WORDS);
      const report = await vacuum(context, { dryRun: options['delete'] !== true, signal: io.stop });
      const json = { ...context, ...report, floor: String(report.floor) };
      io.stdout.write(isForPrograms(call) ? `${JSON.stringify(json)}\n` : textOf(report));
      return EXIT.done;
    } catch (error) {
      if (io.stop.aborted) return EXIT.stopped;
      throw loaded.explain(error);
    }
  },
};

function textOf({ files, bytes, uploads, floor, dryRun }: VacuumReport): string {
  const what = `${counted(files, 'file')} with ${amount(bytes, 'bytes')}, and ${counted(uploads, 'unfinished upload')}`;
  const where = `from before entry ${floor}`;
  return dryRun
    ? `${what}, ${where}, would be deleted. Do it by --delete.\n`
    : `${what}, ${where}, were deleted\n`;
}
