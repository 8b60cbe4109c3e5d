/** `eos compact`: merges the small files of a destination. */
import type { CompactReport, FileTotals } from '@eos/core';
import { isForPrograms, type Command } from '../command.js';
import { loadPipeline } from '../configuration/load.js';
import { EXIT } from '../exit-codes.js';
import { amount, counted } from '../numbers.js';
import { ableSink } from './able-sink.js';

const WORDS = { can: 'be compacted', does: 'can be compacted' };

export const command: Command = {
  name: 'compact',
  summary: 'Merges the small files of a destination, and applies its deletes',
  operands: '<pipeline>',
  operandCount: { least: 1, most: 1 },
  description: `May be run at any time, also while the pipeline runs: positions and writers are left alone, and who
reads the table sees the same rows before and after. The files that were merged stay until
eos vacuum deletes them. In a pipe, and with --json, prints one JSON object.`,
  options: {
    sink: { type: 'string', value: 'name', description: 'this sink; needed where several can be compacted' },
    'sort-by': {
      type: 'string',
      value: 'columns',
      description: 'sorts each file by these, so that readers skip more; with commas between them',
    },
    'dry-run': { type: 'boolean', description: 'only tells what is there' },
    json: { type: 'boolean', description: 'prints JSON in a terminal too' },
  },
  examples: [
    'eos compact pipeline.yaml',
    'eos compact pipeline.yaml --sort-by id',
    'eos compact pipeline.yaml --dry-run',
  ],
  async run(call) {
    const { io, options } = call;
    const loaded = await loadPipeline(call.operands[0] ?? '', io);
    try {
      const { ability: compact, context } = ableSink(loaded, 'compact', options['sink'], WORDS);
      const report = await compact(context, {
        dryRun: options['dry-run'] === true,
        signal: io.stop,
        ...sortBy(options['sort-by']),
      });
      const json = { ...context, ...report, upTo: String(report.upTo) };
      io.stdout.write(isForPrograms(call) ? `${JSON.stringify(json)}\n` : textOf(report));
      return EXIT.done;
    } catch (error) {
      if (io.stop.aborted) return EXIT.stopped;
      throw loaded.explain(error);
    }
  },
};

function sortBy(columns: string | boolean | undefined): { readonly sortBy?: readonly string[] } {
  return typeof columns === 'string' ? { sortBy: columns.split(',').map((name) => name.trim()) } : {};
}

function textOf({ before, after, upTo, dryRun }: CompactReport): string {
  if (dryRun) return `${totals(before)}, up to entry ${upTo}. Nothing was changed.\n`;
  return `${totals(before)} before, ${totals(after)} now, up to entry ${upTo}\n`;
}

function totals({ files, bytes, rows }: FileTotals): string {
  return `${counted(files, 'file')} with ${amount(bytes, 'bytes')} and ${counted(rows, 'row')}`;
}
