/** `eos adopt`: starts a pipeline where another program has come to. */
import { adopt, EosError, type AdoptedPosition, type PartitionId } from '@eos/core';
import { isForPrograms, type Command, type CommandCall } from '../command.js';
import { loadPipeline } from '../configuration/load.js';
import { EXIT } from '../exit-codes.js';
import { positionJson } from '../run/json-lines.js';

export const command: Command = {
  name: 'adopt',
  summary: 'Starts a pipeline where another program has come to',
  operands: '<pipeline> <partition=offset>…',
  operandCount: { least: 2, most: 100_000 },
  description: `For a destination that holds the rows up to those offsets already: stores them as the first positions, so
that the next run goes on from there. Stop the other program first: nothing fences it. A partition
that is not named starts at its beginning. Repeated with the same values it changes nothing.`,
  options: {
    rows: {
      type: 'boolean',
      description: 'the numbers count rows from the start of each partition, not offsets',
    },
    json: { type: 'boolean', description: 'prints JSON in a terminal too' },
  },
  examples: [
    'eos adopt pipeline.yaml visits.ndjson=48211904',
    'eos adopt pipeline.yaml --rows 2024/visits.ndjson=500000 2025/visits.ndjson=120000',
  ],
  async run(call) {
    const { operands, io } = call;
    const [file = '', ...marks] = operands;
    const positions = positionsOf(marks, call);
    const { options, explain } = await loadPipeline(file, io);
    const { id, source, sinks } = options;
    try {
      const stored = await adopt({ id, source, sinks, positions, signal: io.stop });
      const told = Object.fromEntries([...stored].map(([name, position]) => [name, positionJson(position)]));
      const lines = [...stored].map(([name, { offset }]) => `${name} starts at offset ${String(offset)}\n`);
      io.stdout.write(
        isForPrograms(call) ? `${JSON.stringify({ pipeline: id, positions: told })}\n` : lines.join(''),
      );
      return EXIT.done;
    } catch (error) {
      if (io.stop.aborted) return EXIT.stopped;
      throw explain(error);
    }
  },
};

/** The name of a partition may hold anything, also `=`. */
function positionsOf(
  marks: readonly string[],
  { options }: CommandCall,
): Record<PartitionId, AdoptedPosition> {
  const read = marks.map((mark): [PartitionId, AdoptedPosition] => {
    const [, partition, digits] = /^(.+)=(\d{1,19})$/s.exec(mark) ?? [];
    if (partition === undefined || digits === undefined) {
      throw new EosError(
        'EOS_CONFIG',
        `${JSON.stringify(mark)} must be partition=offset, such as visits.ndjson=48211904`,
      );
    }
    const count = BigInt(digits);
    return [partition, options['rows'] === true ? { rows: count } : { offset: count }];
  });
  const names = new Set(read.map(([partition]) => partition));
  if (names.size < read.length) throw new EosError('EOS_CONFIG', 'a partition is named twice');
  return Object.fromEntries(read);
}
