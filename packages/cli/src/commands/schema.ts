/** `eos schema`: what an editor completes a file of configuration by. */
import { dirname, resolve } from 'node:path';
import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { wholeSchema } from '../packages/all-schemas.js';

export const command: Command = {
  name: 'schema',
  summary: 'Prints the JSON schema of the configuration, for editors',
  operands: '[pipeline]',
  operandCount: { least: 0, most: 1 },
  description: `With the options of every sink and source that is installed for the pipeline, or for the current
folder: packages that the project depends on, with the keyword eos-connector.
An editor takes the schema from the first line of the file:
  # yaml-language-server: $schema=eos.schema.json`,
  options: {},
  examples: ['eos schema > eos.schema.json', 'eos schema flows/pipeline.yaml > flows/eos.schema.json'],
  async run({ operands, io }) {
    const [pipeline] = operands;
    const folder = pipeline === undefined ? io.folder : dirname(resolve(io.folder, pipeline));
    io.stdout.write(`${JSON.stringify(await wholeSchema(folder), undefined, 2)}\n`);
    return EXIT.done;
  },
};
