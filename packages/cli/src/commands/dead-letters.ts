/** `eos dead-letters`: the rows that a sink has set aside. */
import { EosError, type DeadLetter, type DeadLetterQuery, type DeadLetters } from '@eos/core';
import {
  isForPrograms,
  type Command,
  type CommandCall,
  type CommandOption,
  type Output,
} from '../command.js';
import { loadPipeline, type LoadedPipeline } from '../configuration/load.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { grouped } from '../numbers.js';
import { ableSink } from './able-sink.js';

const WORDS = { can: 'keep dead letters', does: 'keeps dead letters' };

const WHICH: Readonly<Record<string, CommandOption>> = {
  sink: {
    type: 'string',
    value: 'name',
    description: 'of this sink; needed where several keep dead letters',
  },
  partition: { type: 'string', value: 'name', description: 'only those of this source partition' },
  limit: { type: 'string', value: 'number', description: 'at most so many, the oldest first' },
  json: { type: 'boolean', description: 'prints JSON in a terminal too' },
};

export const list: Command = {
  name: 'dead-letters list',
  summary: 'Lists the rows that a sink has set aside',
  operands: '<pipeline>',
  operandCount: { least: 1, most: 1 },
  description: `Reads only. In a pipe, and with --json, prints a line of JSON for each.`,
  options: { ...WHICH, all: { type: 'boolean', description: 'those that were replayed, too' } },
  examples: [
    'eos dead-letters list pipeline.yaml --limit 20',
    `eos dead-letters list pipeline.yaml | jq -r '[.id, .column, .message] | @tsv'`,
  ],
  run: (call) =>
    withDeadLetters(call, async (letters, { hide }) => {
      const { stdout, stop } = call.io;
      const query = { ...queryOf(call), withReplayed: call.options['all'] === true };
      let count = 0;
      for await (const letter of letters.list(query)) {
        if (stop.aborted) return EXIT.stopped;
        count++;
        print(letter, stdout, isForPrograms(call), hide);
      }
      if (!isForPrograms(call))
        stdout.write(
          count === 1 ? '1 dead letter\n' : `${count === 0 ? 'no' : grouped(count)} dead letters\n`,
        );
      return EXIT.done;
    }),
};

export const replay: Command = {
  name: 'dead-letters replay',
  summary: 'Writes the rows that were set aside again',
  operands: '<pipeline> [id…]',
  operandCount: { least: 1, most: 10_000 },
  description: `To be called when what they were rejected for is mended. Each row is written exactly once, however
often this is tried or killed; one that is rejected again stays a dead letter, and the exit code is 1.
Rows are written as they were: where an upsert has seen a newer row of the same key meanwhile, replay
by id, and look first.`,
  options: WHICH,
  examples: ['eos dead-letters replay pipeline.yaml', 'eos dead-letters replay pipeline.yaml 17 18'],
  run: (call) =>
    withDeadLetters(call, async (letters) => {
      const { stdout, stop } = call.io;
      const ids = call.operands.slice(1);
      const query = { ...queryOf(call), ...(ids.length === 0 ? {} : { ids }) };
      const result = await letters.replay(query, stop);
      const { replayed, rejected } = result;
      stdout.write(
        isForPrograms(call)
          ? `${JSON.stringify(result)}\n`
          : `${grouped(replayed)} rows replayed, ${grouped(rejected)} rejected again\n`,
      );
      if (rejected > 0) return EXIT.failed;
      return stop.aborted ? EXIT.stopped : EXIT.done;
    }),
};

async function withDeadLetters(
  call: CommandCall,
  work: (letters: DeadLetters, loaded: LoadedPipeline) => Promise<ExitCode>,
): Promise<ExitCode> {
  const loaded = await loadPipeline(call.operands[0] ?? '', call.io);
  try {
    const { ability: open, context } = ableSink(loaded, 'deadLetters', call.options['sink'], WORDS);
    const letters = await open(context);
    try {
      return await work(letters, loaded);
    } finally {
      await letters.close();
    }
  } catch (error) {
    throw loaded.explain(error);
  }
}

function queryOf({ options }: CommandCall): DeadLetterQuery {
  const { partition, limit } = options;
  const count = Number(limit ?? 1);
  if (!Number.isInteger(count) || count < 1)
    throw new EosError('EOS_CONFIG', '--limit must be a whole number from 1');
  return {
    ...(typeof partition === 'string' ? { partition } : {}),
    ...(limit === undefined ? {} : { limit: count }),
  };
}

function print(letter: DeadLetter, stdout: Output, isJson: boolean, hide: (text: string) => string): void {
  const { id, partition, offset, op, row, code, column, writtenAt, replayedAt } = letter;
  const message = hide(letter.message);
  if (!isJson) {
    const place = offset === undefined ? partition : `${partition}, offset ${String(offset)}`;
    const state = replayedAt === undefined ? '' : ` (replayed ${replayedAt.toISOString()})`;
    stdout.write(
      `${id}  ${writtenAt.toISOString()}  ${place}${state}\n    ${code}: ${message}\n    ${op} ${JSON.stringify(row)}\n`,
    );
    return;
  }
  const line = {
    id,
    partition,
    offset: offset === undefined ? null : String(offset),
    op,
    row,
    code,
    message,
    column: column ?? null,
    writtenAt: writtenAt.toISOString(),
    replayedAt: replayedAt?.toISOString() ?? null,
  };
  stdout.write(`${JSON.stringify(line)}\n`);
}
