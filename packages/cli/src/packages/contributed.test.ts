import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Child, installCore, withFolder, writeFiles } from '../eos.testing.js';

/** Somebody's package, for `import` only: a sink that writes its rows into a file when the process ends, and a source. */
const PACKAGE = {
  'node_modules/@someone/eos-things/package.json': JSON.stringify({
    name: '@someone/eos-things',
    version: '1.0.0',
    type: 'module',
    keywords: ['eos-connector'],
    exports: { '.': { import: './main.js' } },
  }),
  'node_modules/@someone/eos-things/main.js': `
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EosError, iterableSource, memorySink, memoryStore } from '@eos/core';

export const eosPackage = {
  sinks: {
    drawer: {
      summary: 'A drawer',
      options: {
        properties: { file: { type: 'string', description: 'Where the rows go' }, depth: { type: 'integer', minimum: 1 } },
        required: ['file'],
      },
      create({ file, depth = 1 }, { folder }) {
        if (depth === 9) throw new TypeError('nine: ' + file);
        if (depth > 9) throw new EosError('EOS_CONFIG', 'no drawer is that deep', { details: { option: 'depth' } });
        const store = memoryStore();
        process.on('exit', () => writeFileSync(join(folder, file), JSON.stringify(store.rows())));
        return memorySink(store);
      },
    },
  },
  sources: {
    numbers: {
      summary: 'Numbers',
      options: { properties: { to: { type: 'integer' } }, required: ['to'] },
      create: ({ to }) => iterableSource({ items: Array.from({ length: to }, (_, n) => ({ n })) }),
    },
    letters: { summary: 'Letters', options: { properties: {} }, create: () => iterableSource({ items: [{ n: 'a' }] }) },
  },
};
`,
};

const PIPELINE = `id: things
source: { use: '@someone/eos-things#numbers', to: 3 }
sinks:
  box: { use: '@someone/eos-things', file: out.json }
`;

async function inProject<T>(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const manifest = { 'package.json': JSON.stringify({ dependencies: { '@someone/eos-things': '1.0.0' } }) };
  return withFolder({ ...PACKAGE, ...manifest, ...files }, async (folder) => {
    await installCore(folder);
    return work(folder);
  });
}

const problemOf = async (pipeline: string) =>
  inProject({ 'pipeline.yaml': pipeline }, async (folder) => {
    const { code, stderr } = await new Child(folder, ['explain', 'pipeline.yaml']).ended();
    expect(code).toBe(2);
    return stderr;
  });

describe('a package of somebody else, in a project of its own', () => {
  test('runs', async () => {
    await inProject({ 'flows/pipeline.yaml': PIPELINE }, async (folder) => {
      const child = new Child(folder, ['run', 'flows/pipeline.yaml']);
      expect(await child.ended()).toMatchObject({ code: 0, stderr: '' });
      expect(child.lines.at(-1)).toMatchObject({ event: 'end', rows: 3 });
      const written: unknown = JSON.parse(await readFile(join(folder, 'flows/out.json'), 'utf8'));
      expect(written).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    });
  });

  test('has its options checked, and its own words shown at their line', async () => {
    expect(await problemOf(PIPELINE.replace('to: 3', "too: '3'"))).toBe(`\
EOS_CONFIG: pipeline.yaml:2:11: source needs to
  2 | source: { use: '@someone/eos-things#numbers', too: '3' }
    |           ^^^

pipeline.yaml:2:47: source has no option "too": did you mean "to"?
  2 | source: { use: '@someone/eos-things#numbers', too: '3' }
    |                                               ^^^
`);
    expect(await problemOf(PIPELINE.replace('out.json', 'out.json, depth: 10'))).toBe(
      `\
EOS_CONFIG: pipeline.yaml:4:61: no drawer is that deep
  4 |   box: { use: '@someone/eos-things', file: out.json, depth: 10 }
    |                                                             ^^
`.replace('4:60', '4:61'),
    );
  });

  test('whatever it throws is shown at its place, without values of the environment', async () => {
    const file = '"${SECRET:-}${OTHER}"';
    await inProject(
      { 'pipeline.yaml': PIPELINE.replace('out.json', `${file}, depth: 9`) },
      async (folder) => {
        const env = { SECRET: 'hunter2hunter2', OTHER: 'opensesame' };
        const { code, stderr } = await new Child(folder, ['explain', 'pipeline.yaml'], env).ended();
        expect([code, stderr]).toEqual([
          2,
          `\
EOS_CONFIG: pipeline.yaml:4:3: nine: \${SECRET}\${OTHER}
  4 |   box: { use: '@someone/eos-things', file: ${file}, depth: 9 }
    |   ^^^
`,
        ]);
      },
    );
  });

  test('is told apart where it has several, and guessed where its name is wrong', async () => {
    expect(await problemOf(PIPELINE.replace('#numbers', ''))).toContain(
      '2:16: @someone/eos-things has several sources: use one of @someone/eos-things#numbers, @someone/eos-things#letters\n',
    );
    expect(await problemOf(PIPELINE.replace('#numbers', '#nubmers'))).toContain(
      '2:16: @someone/eos-things has no source "nubmers": did you mean "numbers"?\n',
    );
    expect(
      await problemOf(PIPELINE.replace("'@someone/eos-things', file", "'@someone/eos-thing', file")),
    ).toContain(
      '4:15: the package @someone/eos-thing is not installed: did you mean "@someone/eos-things"?\n',
    );
    expect(await problemOf(PIPELINE.replace("'@someone/eos-things', file", 'eos-nowhere, file'))).toContain(
      '4:15: the package eos-nowhere is not installed: npm install eos-nowhere\n',
    );
    expect(await problemOf(PIPELINE.replace("'@someone/eos-things', file", 'yaml, file'))).toContain(
      '4:15: yaml exports no eosPackage, and so has no sinks or sources (',
    );
  });

  test("is in the editor's schema, and the schema takes the file", async () => {
    await inProject({ 'pipeline.yaml': PIPELINE }, async (folder) => {
      const { code, stdout } = await new Child(folder, ['schema']).ended();
      expect(code).toBe(0);
      const { properties } = JSON.parse(stdout) as {
        properties: {
          source: { anyOf: { properties?: { use?: { enum?: string[] } } }[] };
          sinks: { additionalProperties: { anyOf: unknown[] } };
        };
      };
      const uses = properties.source.anyOf.flatMap((one) => one.properties?.use?.enum ?? []);
      expect(uses).toEqual(
        expect.arrayContaining([
          'ndjson',
          '@eos/core#csv',
          '@someone/eos-things#numbers',
          '@someone/eos-things#letters',
        ]),
      );
      expect(properties.sinks.additionalProperties.anyOf[0]).toEqual({
        type: 'object',
        description: 'A drawer',
        properties: {
          use: { enum: ['@someone/eos-things', '@someone/eos-things#drawer'], description: 'A drawer' },
          file: { type: 'string', description: 'Where the rows go' },
          depth: { type: 'integer', minimum: 1 },
        },
        required: ['use', 'file'],
        additionalProperties: false,
      });
    });
  });
});

test('a module beside the file is as good as a package', async () => {
  const { 'node_modules/@someone/eos-things/main.js': main } = PACKAGE;
  await inProject({}, async (folder) => {
    const pipeline = PIPELINE.replaceAll('@someone/eos-things', './things.mjs');
    await writeFiles(folder, { 'things.mjs': main, 'pipeline.yaml': pipeline });
    const child = new Child(folder, ['run', 'pipeline.yaml', '--quiet']);
    expect(await child.ended()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'))).toHaveLength(3);
  });
});
