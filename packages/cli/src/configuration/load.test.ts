import { describe, expect, test } from '@jest/globals';
import { callEos, withFolder } from '../eos.testing.js';

const GOOD = `id: visits
columns:
  id: int64
  note: string?
source:
  use: ndjson
  path: visits.ndjson
sinks:
  warehouse:
    use: '@eos/postgres'
    connection: \${DATABASE_URL}
    table: visits
`;

const env = { DATABASE_URL: 'postgresql://writer:hunter2hunter2@127.0.0.1:1/warehouse' };

async function explain(text: string, extra: Readonly<Record<string, string>> = {}, variables = env) {
  return withFolder({ 'pipeline.yaml': text, ...extra }, (folder) =>
    callEos(folder, ['explain', 'pipeline.yaml'], { env: variables }),
  );
}

/** What stands behind the code, with the exit code that every wrong configuration has. */
async function problemOf(
  text: string,
  extra: Readonly<Record<string, string>> = {},
  variables = env,
): Promise<string> {
  const { code, stdout, stderr } = await explain(text, extra, variables);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^EOS_[A-Z_]+: /);
  return stderr.replace(/^EOS_[A-Z_]+: /, '');
}

test('a whole pipeline: the guarantee and its reasons, from the folder of the file', async () => {
  await withFolder({ 'flows/pipeline.yaml': GOOD }, async (folder) => {
    const { code, stdout, stderr } = await callEos(folder, ['explain', 'flows/pipeline.yaml'], { env });
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      pipeline: 'visits',
      guarantee: 'exactly-once',
      changelog: 'append',
      source: { description: `ndjson ${folder}/flows/visits.ndjson`, replayable: true },
      sinks: [{ name: 'warehouse', description: 'postgres "visits"' }],
    });
  });
});

describe('errors quote the line', () => {
  test('an unknown option, and what may have been meant', async () => {
    expect(await problemOf(GOOD.replace('    table:', '    tabel:'))).toBe(`\
pipeline.yaml:12:5: sinks.warehouse has no option "tabel": did you mean "table"?
  12 |     tabel: visits
     |     ^^^^^
`);
  });

  test('several at once, in the order of the file', async () => {
    const text = GOOD.replace('int64', 'int65')
      .replace('ndjson', 'ndjsn')
      .replace('id: visits', 'idd: visits');
    expect(await problemOf(text)).toBe(`\
pipeline.yaml:1:1: the pipeline has no option "idd": did you mean "id"?
  1 | idd: visits
    | ^^^

pipeline.yaml:1:1: the pipeline needs id
  1 | idd: visits
    | ^^^

pipeline.yaml:3:7: columns.id cannot be "int65": did you mean "int64"?
  3 |   id: int65
    |       ^^^^^

pipeline.yaml:6:8: the package ndjsn is not installed: did you mean "ndjson"?
  6 |   use: ndjsn
    |        ^^^^^
`);
  });

  test('a value of the wrong kind', async () => {
    const text = `${GOOD}    mode: upsrt\n    create: 'yes'\ntrigger: { rows: 0, bites: 1 }\n`;
    expect(await problemOf(text)).toBe(`\
pipeline.yaml:13:11: sinks.warehouse.mode cannot be "upsrt": did you mean "upsert"?
  13 |     mode: upsrt
     |           ^^^^^

pipeline.yaml:14:13: sinks.warehouse.create must be true or false
  14 |     create: 'yes'
     |             ^^^^^

pipeline.yaml:15:18: trigger.rows must be a number of at least 1
  15 | trigger: { rows: 0, bites: 1 }
     |                  ^

pipeline.yaml:15:21: trigger has no option "bites": did you mean "bytes"?
  15 | trigger: { rows: 0, bites: 1 }
     |                     ^^^^^
`);
  });

  test('what a sink itself refuses, at the option that it names', async () => {
    expect(await problemOf(`${GOOD}    key: [id]\n`)).toBe(`\
pipeline.yaml:13:5: key: belongs to mode: 'upsert'
  13 |     key: [id]
     |     ^^^
`);
  });

  test('what the pipeline refuses, with its own code', async () => {
    const text = GOOD.replace('use: ndjson', 'use: stdin').replace('path: visits.ndjson', 'format: ndjson');
    const { code, stderr } = await explain(`${text}guarantee: exactly-once\n`);
    expect(code).toBe(2);
    expect(stderr).toContain('EOS_GUARANTEE: ');
    const op = GOOD.replace('path: visits.ndjson', 'path: visits.ndjson\n  op: op');
    expect((await explain(op)).stderr).toBe(`\
EOS_CHANGELOG_MODE: pipeline.yaml:10:3: sink warehouse is in append mode and cannot hold the retract changelog it would be fed: \
it holds inserts only. Set mode: 'upsert' and a key on the sink, or drop updates and deletes in the transform and declare \
changelog: 'append'.
  10 |   warehouse:
     |   ^^^^^^^^^
`);
  });

  test('text that is no YAML', async () => {
    expect(await problemOf(GOOD.replace('source:', 'source: [')).then((text) => text.split('\n')[0])).toMatch(
      /^pipeline\.yaml:6:8: /,
    );
    expect(await problemOf('id: a\nid: b\n')).toMatch(/^pipeline\.yaml:2:1: map keys must be unique/);
    expect(await problemOf(GOOD.replace('use: ndjson', 'use: !!js/function ndjson'))).toMatch(
      /^pipeline\.yaml:6:8: unresolved tag/,
    );
  });

  test('a file that is empty, or no mapping', async () => {
    expect(await problemOf('')).toMatch(
      /^pipeline\.yaml:1:1: the pipeline must be a mapping of names to values/,
    );
    expect(await problemOf('- a\n')).toMatch(
      /^pipeline\.yaml:1:1: the pipeline must be a mapping of names to values/,
    );
  });

  test('aliases that were made to explode', async () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const items = Array.from({ length: 10 }, () => (level === 0 ? 'x' : `*a${level - 1}`)).join(', ');
      return `a${level}: &a${level} [${items}]\n`;
    });
    expect(await problemOf(levels.join(''))).toContain('this is too much for a configuration');
  });
});

describe('the environment', () => {
  test('a missing variable is named with its line', async () => {
    expect(await problemOf(GOOD, {}, {} as typeof env)).toBe(`\
pipeline.yaml:11:17: the environment has no variable DATABASE_URL: set it, or give a default, as in \${DATABASE_URL:-default}
  11 |     connection: \${DATABASE_URL}
     |                 ^^^^^^^^^^^^^^^
`);
  });

  test('a default, an escape, and a number from a variable', async () => {
    const text = GOOD.replace('id: visits', 'id: ${NAME:-from}')
      .replace('visits.ndjson', () => '$${odd}-${N}.ndjson')
      .concat('trigger: { rows: "${ROWS}" }\n');
    const { code, stdout } = await explain(text, {}, { ...env, N: '7', ROWS: '500' } as typeof env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ pipeline: 'from' });
    expect(stdout).toContain('/${odd}-7.ndjson');
  });

  test('a value that does not fit is not shown', async () => {
    const text = `${GOOD}    create: \${SECRET}\ntrigger: { rows: "\${SECRET}" }\nguarantee: \${SECRET}\n`;
    const found = await problemOf(text, {}, { ...env, SECRET: 'exactly-twice' } as typeof env);
    expect(found).not.toContain('twice');
    expect(found.split('\n\n').map((one) => one.split('\n')[0])).toEqual([
      'pipeline.yaml:13:13: sinks.warehouse.create must be true or false',
      'pipeline.yaml:14:18: trigger.rows must be a number of at least 1',
      'pipeline.yaml:15:12: guarantee must be one of exactly-once, effectively-once, at-least-once, at-most-once',
    ]);
  });

  test('a value that a sink repeats is taken out again, and a value is never read as YAML', async () => {
    const text = GOOD.replace('table: visits', 'table: ${TABLE}');
    const found = await problemOf(text, {}, { ...env, TABLE: 'a.b.c: [secret' } as typeof env);
    expect(found).toBe(`\
pipeline.yaml:12:12: table: "\${TABLE}" must be 'name', 'schema.name' or { schema, name }
  12 |     table: \${TABLE}
     |            ^^^^^^^^
`);
  });

  test('a secret in the file itself is starred where its line is quoted', async () => {
    const text = GOOD.replace(
      'connection: ${DATABASE_URL}',
      'connection: [postgresql://me:hunter2@host/db]',
    ).concat('    password: hunter3\n');
    const found = await problemOf(text);
    expect(found).not.toMatch(/hunter/);
    expect(found).toContain('postgresql://me:*******@host/db');
  });

  test('something that is no reference', async () => {
    expect(await problemOf(GOOD.replace('${DATABASE_URL}', '"${DATABASE-URL}"'))).toBe(`\
pipeline.yaml:11:18: \${DATABASE-URL} does not name a variable of the environment; write $\${ for the characters themselves
  11 |     connection: "\${DATABASE-URL}"
     |                  ^^^^^^^^^^^^^^^
`);
    expect(await problemOf(GOOD.replace('${DATABASE_URL}', '"${DATABASE_URL"'))).toContain(
      'a ${ that does not end with }',
    );
  });
});

describe('transforms', () => {
  const withTransform = (name: string) => `${GOOD}transform: ${name}\n`;

  test('a default export, and a named one', async () => {
    const module = 'export default (batch) => batch.rows;\nexport const rows = (batch) => batch.rows;\n';
    expect((await explain(withTransform('./t.mjs'), { 't.mjs': module })).code).toBe(0);
    expect((await explain(withTransform('./t.mjs#rows'), { 't.mjs': module })).code).toBe(0);
    expect(await problemOf(withTransform('./t.mjs#rose'), { 't.mjs': module })).toContain(
      'pipeline.yaml:13:12: the transform has no function as its export "rose": export default (batch) => batch.rows',
    );
  });

  test('one that is not there, or does not load', async () => {
    expect(await problemOf(withTransform('./t.mjs'))).toMatch(
      /^pipeline\.yaml:13:12: there is no module .*\/t\.mjs\n/,
    );
    expect(await problemOf(withTransform('./t'))).toContain('; its name needs its ending, such as .mjs');
    const broken = { 't.mjs': 'throw new Error("broken");\n' };
    expect(await problemOf(withTransform('./t.mjs'), broken)).toContain(
      'the transform could not be loaded: broken',
    );
  });

  test('with one, the columns are those of the source only', async () => {
    const module = { 't.mjs': 'export default (batch) => batch.rows;\n' };
    // A key that is no column of the sink's schema is refused; here the sink has none, and the table decides.
    const keyed = 'table: visits\n    mode: upsert\n    key: [sum]';
    const text = withTransform('./t.mjs').replace('table: visits', keyed);
    expect((await explain(text, module)).code).toBe(0);
    expect(await problemOf(text.replace('transform: ./t.mjs\n', ''))).toContain(
      '"sum" is no column of the rows',
    );
  });
});

describe('modules', () => {
  const MODULE = `
export default { id: 'visits', source: { description: 's', changelog: 'append', replayable: true }, sinks: {
  memory: { description: 'm', capabilities: { changelog: 'append', atomic: 'transaction', durable: false } } } };\n`;

  const call = (name: string, text: string) =>
    withFolder({ [name]: text }, (folder) => callEos(folder, ['explain', name]));

  test('the default export is the options', async () => {
    const { code, stdout } = await call('pipeline.mjs', MODULE);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { pipeline: 'visits', guarantee: 'exactly-once' }]);
  });

  test('TypeScript runs where Node can, and is refused with the way out elsewhere', async () => {
    const canStrip = 'typescript' in process.features && process.features.typescript !== false;
    const { code, stderr } = await call('pipeline.ts', `const id: string = 'visits';\n${MODULE}`);
    if (canStrip) expect([code, stderr]).toEqual([0, '']);
    else {
      expect([code, stderr]).toEqual([
        2,
        `EOS_CONFIG: pipeline.ts is TypeScript, which Node runs from 22.18 and 23.6 on, and this is ${process.versions.node}: ` +
          'use a newer Node, or compile it to .js and name that\n',
      ]);
    }
  });

  test('a pipeline instead of its options, and a module that throws', async () => {
    expect((await call('pipeline.mjs', 'export default { run() {}, explain() {} };\n')).stderr).toBe(
      'EOS_CONFIG: pipeline.mjs must export default the options of a pipeline (id, source, sinks), not the pipeline that is made ' +
        'of them: export default definePipeline({ … })\n',
    );
    expect(await call('pipeline.mjs', 'throw new Error("broken");\n')).toMatchObject({
      code: 2,
      stderr: 'EOS_CONFIG: pipeline.mjs could not be loaded: broken\n',
    });
    expect((await call('pipeline.toml', '')).stderr).toMatch(
      /^EOS_CONFIG: pipeline.toml must end in one of .yaml, /,
    );
  });
});
