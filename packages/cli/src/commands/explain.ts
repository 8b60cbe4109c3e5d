/** `eos explain`: what a pipeline promises, and why. */
import { pipeline } from '@eos/core';
import { isForPrograms, type Command } from '../command.js';
import { loadPipeline } from '../configuration/load.js';
import { EXIT } from '../exit-codes.js';

export const command: Command = {
  name: 'explain',
  summary: 'Tells what a pipeline promises, and why',
  operands: '<pipeline>',
  operandCount: { least: 1, most: 1 },
  description: `Checks the configuration and derives the guarantee from source, changelog and sinks.
Connects to nothing. In a pipe, and with --json, prints one JSON object.`,
  options: { json: { type: 'boolean', description: 'prints JSON in a terminal too' } },
  examples: ['eos explain pipeline.yaml', 'eos explain pipeline.yaml | jq -r .guarantee'],
  async run(call) {
    const { operands, io } = call;
    const { options, explain, hide } = await loadPipeline(operands[0] ?? '', io);
    try {
      const { guarantee, reasons } = pipeline(options).explain();
      const { id, source, sinks, changelog = source.changelog } = options;
      const described = Object.entries(sinks).map(([name, { description, capabilities }]) => ({
        name,
        description: hide(description),
        capabilities,
      }));
      const explanation = {
        pipeline: id,
        guarantee,
        reasons: reasons.map(hide),
        changelog,
        source: { description: hide(source.description), replayable: source.replayable },
        sinks: described,
      };
      io.stdout.write(
        isForPrograms(call) ? `${JSON.stringify(explanation)}\n` : explanationText(explanation),
      );
      return EXIT.done;
    } catch (error) {
      throw explain(error);
    }
  },
};

function explanationText(explanation: {
  readonly pipeline: string;
  readonly guarantee: string;
  readonly reasons: readonly string[];
  readonly changelog: string;
}): string {
  const { pipeline: id, guarantee, reasons, changelog } = explanation;
  return `${id}: ${guarantee}, because\n${reasons.map((reason) => `  - ${reason}`).join('\n')}\nIts changelog is ${changelog}.\n`;
}
