/** `eos status`: where a pipeline stands. */
import { EosError } from '@eos/core';
import { isForPrograms, type Command, type CommandCall } from '../command.js';
import { loadPipeline } from '../configuration/load.js';
import { EXIT } from '../exit-codes.js';
import { collectStatus, type PipelineStatus } from '../status/collect.js';
import { statusTable } from '../status/table.js';

export const command: Command = {
  name: 'status',
  summary: 'Tells where a pipeline stands',
  operands: '<pipeline>',
  operandCount: { least: 1, most: 1 },
  description: `For each sink and partition: the stored position, what is left in the source, how many commits there were,
when the last one was, the rate of the last few, and whether its owner is connected.
Reads only: it claims nothing, makes nothing, and disturbs no run. In a pipe, and with --json, it
prints one JSON object.`,
  options: {
    json: { type: 'boolean', description: 'prints JSON in a terminal too' },
    watch: { type: 'boolean', description: 'looks again and again, until Ctrl-C' },
    interval: {
      type: 'string',
      value: 'seconds',
      description: 'how long --watch waits between two looks (default 2)',
    },
  },
  examples: [
    'eos status pipeline.yaml',
    'eos status pipeline.yaml --watch --interval 10',
    `eos status pipeline.yaml | jq '.sinks[].partitions[] | {partition, lag}'`,
  ],
  async run(call) {
    const interval = intervalOf(call);
    const loaded = await loadPipeline(call.operands[0] ?? '', call.io);
    const { stop } = call.io;
    try {
      do {
        show(await collectStatus(loaded), call);
        if (call.options['watch'] === true) await pause(interval, stop);
      } while (call.options['watch'] === true && !stop.aborted);
      return EXIT.done;
    } catch (error) {
      throw loaded.explain(error);
    }
  },
};

const HOME_AND_CLEAR = '\u001B[H\u001B[J';

function show(status: PipelineStatus, call: CommandCall): void {
  const { stdout } = call.io;
  if (isForPrograms(call)) {
    stdout.write(`${JSON.stringify(status)}\n`);
    return;
  }
  const clear = call.options['watch'] === true ? HOME_AND_CLEAR : '';
  stdout.write(clear + statusTable(status, Date.now()));
}

/** @returns milliseconds */
function intervalOf({ options }: CommandCall): number {
  const seconds = Number(options['interval'] ?? 2);
  if (seconds >= 0.1 && seconds <= 86_400) return seconds * 1000;
  throw new EosError('EOS_CONFIG', '--interval must be a number of seconds from 0.1 to 86400');
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    stop.addEventListener('abort', done, { once: true });
    if (stop.aborted) done();
    function done() {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    }
  });
}
