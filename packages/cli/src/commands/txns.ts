/** `eos txns`: the transactions that a sink has open at its destination. */
import { EosError, type OpenTransaction, type OpenTransactions } from '@eos/core';
import { isForPrograms, type Command, type CommandCall, type CommandOption } from '../command.js';
import { loadPipeline } from '../configuration/load.js';
import { EXIT, type ExitCode } from '../exit-codes.js';
import { duration } from '../numbers.js';
import { ableSink } from './able-sink.js';

const WORDS = { can: 'show its transactions', does: 'shows its transactions' };

const SINK: CommandOption = {
  type: 'string',
  value: 'name',
  description: 'of this sink; needed where several show their transactions',
};

export const list: Command = {
  name: 'txns list',
  summary: 'Lists the transactions that a sink has open',
  operands: '<pipeline>',
  operandCount: { least: 1, most: 1 },
  description: `Reads only. One that is marked as lingering has been open for longer than its timeout: readers wait
behind it. In a pipe, and with --json, prints a line of JSON for each.`,
  options: { sink: SINK, json: { type: 'boolean', description: 'prints JSON in a terminal too' } },
  examples: ['eos txns list pipeline.yaml', `eos txns list pipeline.yaml | jq -r 'select(.lingering) | .id'`],
  run: (call) =>
    withTransactions(call, async (transactions) => {
      const { stdout } = call.io;
      const found = await transactions.list();
      if (isForPrograms(call)) {
        for (const one of found) stdout.write(`${JSON.stringify(jsonOf(one))}\n`);
        return EXIT.done;
      }
      for (const one of found) stdout.write(textOf(one, Date.now()));
      stdout.write(
        `${found.length === 0 ? 'no' : found.length} open transaction${found.length === 1 ? '' : 's'}\n`,
      );
      return EXIT.done;
    }),
};

export const abort: Command = {
  name: 'txns abort',
  summary: 'Aborts transactions that a sink has open',
  operands: '<pipeline> [id…]',
  operandCount: { least: 1, most: 1_000 },
  description: `Takes over the ids that are given, or those of all lingering transactions with --lingering, as a new process
would. Nothing that was committed is touched. A process that works with one of them recovers, and
writes its rows again.`,
  options: { sink: SINK, lingering: { type: 'boolean', description: 'all that linger' } },
  examples: [
    'eos txns abort pipeline.yaml --lingering',
    'eos txns abort pipeline.yaml orders/kafka/flights.ndjson',
  ],
  run: (call) =>
    withTransactions(call, async (transactions) => {
      const ids = await idsOf(call, transactions);
      for (const id of ids) {
        await transactions.abort(id);
        call.io.stdout.write(`aborted ${id}\n`);
      }
      if (ids.length === 0) call.io.stdout.write('no transaction lingers\n');
      return EXIT.done;
    }),
};

async function idsOf(
  { operands, options }: CommandCall,
  transactions: OpenTransactions,
): Promise<readonly string[]> {
  const given = operands.slice(1);
  const isLingering = options['lingering'] === true;
  if (isLingering === given.length > 0) throw new EosError('EOS_CONFIG', 'name the ids, or say --lingering');
  if (!isLingering) return given;
  return (await transactions.list()).filter((one) => one.isLingering).map(({ id }) => id);
}

async function withTransactions(
  call: CommandCall,
  work: (transactions: OpenTransactions) => Promise<ExitCode>,
): Promise<ExitCode> {
  const loaded = await loadPipeline(call.operands[0] ?? '', call.io);
  try {
    const { ability: open, context } = ableSink(loaded, 'transactions', call.options['sink'], WORDS);
    const transactions = await open(context);
    try {
      return await work(transactions);
    } finally {
      await transactions.close();
    }
  } catch (error) {
    throw loaded.explain(error);
  }
}

function jsonOf({
  id,
  partition,
  state,
  startedAt,
  timeoutMs,
  touches,
  isLingering,
}: OpenTransaction): object {
  return {
    id,
    partition,
    state,
    startedAt: startedAt?.toISOString() ?? null,
    timeoutMs,
    touches,
    lingering: isLingering,
  };
}

function textOf(
  { id, state, startedAt, timeoutMs, touches, isLingering }: OpenTransaction,
  now: number,
): string {
  const age = startedAt === undefined ? '' : `, for ${duration(now - startedAt.getTime())}`;
  const lingers = isLingering ? `, LINGERS (its timeout is ${duration(timeoutMs)})` : '';
  return `${id}\n    ${state}${age}${lingers}\n    ${touches.join(', ')}\n`;
}
