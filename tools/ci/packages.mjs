/**
 * Checks every package as its users get it: packed, linted as a package, installed into an empty project, and its README example
 * compiled against the installed types and run against a real database, broker or folder.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const root = process.cwd();
const folders = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((folder) => existsSync(join(folder, 'package.json')));

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: root,
    ...options,
  });
  return {
    ok: status === 0,
    output: `$ ${command} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`,
  };
}

/** @returns for each check its name, whether it passed, and what it printed */
export async function checkPackages() {
  const results = [];
  const scratch = mkdtempSync(join(tmpdir(), 'eos-packages-'));
  try {
    for (const folder of folders) results.push(...lintPackage(folder));
    results.push(...(await runExamples(scratch)));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return results;
}

function lintPackage(folder) {
  const { name } = manifest(folder);
  const publint = run('publint', ['--strict', folder]);
  const attw = run('attw', ['--profile', 'esm-only', '--pack', folder, '--no-emoji', '--no-color']);
  return [
    [`publint ${name}`, publint.ok, publint.output],
    [`attw ${name}`, attw.ok, attw.output],
  ];
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

async function runExamples(scratch) {
  const project = join(scratch, 'project');
  mkdirSync(project);
  const installed = installPacked(project, scratch);
  if (!installed.ok) return [['packed packages install in an empty project', false, installed.output]];
  const { startKafka, startPostgres } = await import('@eos/services');
  const [database, broker] = [await startPostgres(), await startKafka()];
  try {
    const services = { DATABASE_URL: database.url, KAFKA_BROKERS: broker.brokers.join(',') };
    return [
      ['packed packages install in an empty project', true, ''],
      ...folders.map((folder) => runExample(folder, project, services)),
    ];
  } finally {
    await broker.stop();
    await database.stop();
  }
}

function installPacked(project, scratch) {
  const packed = run('npm', ['pack', ...folders, '--pack-destination', scratch, '--silent']);
  if (!packed.ok) return packed;
  const tarballs = readdirSync(scratch).filter((name) => name.endsWith('.tgz'));
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ name: 'empty', private: true, type: 'module' }),
  );
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/@types/node/package.json'), 'utf8'));
  const files = tarballs.map((name) => join(scratch, name));
  const extra = ['pg', '@types/pg', 'kafkajs', `@types/node@${version}`];
  return run('npm', ['install', '--silent', '--no-audit', '--no-fund', ...files, ...extra], { cwd: project });
}

function runExample(folder, project, services) {
  const { name, bin } = manifest(folder);
  const title = `README example of ${name} runs on the packed packages`;
  if (bin !== undefined) return runCommands(folder, project, services, title);
  const example = firstExample(join(folder, 'README.md'));
  if (example === undefined) return [title, false, 'README.md has no block that starts with ```ts'];
  const file = `${name.split('/').at(-1)}-example`;
  writeFileSync(join(project, `${file}.mts`), example);
  const compiled = run(
    'tsc',
    [
      '--strict',
      '--target',
      'es2023',
      '--module',
      'nodenext',
      '--types',
      'node',
      '--skipLibCheck',
      `${file}.mts`,
    ],
    { cwd: project },
  );
  if (!compiled.ok) return [title, false, compiled.output];
  const result = run('node', [`${file}.mjs`], {
    cwd: project,
    env: { ...process.env, ...services },
    timeout: 60_000,
  });
  return [title, result.ok, result.output];
}

/** The example of a command: files, and the lines that are typed beside them. */
function runCommands(folder, project, services, title) {
  const blocks = titledBlocks(join(folder, 'README.md'));
  const script = blocks.get('example.sh');
  if (script === undefined) return [title, false, 'README.md has no block with title="example.sh"'];
  const place = join(project, 'commands');
  mkdirSync(place);
  for (const [name, text] of blocks) writeFileSync(join(place, name), text);
  const bin = join(project, 'node_modules', '.bin') + delimiter + process.env.PATH;
  const result = run('sh', ['-eu', 'example.sh'], {
    cwd: place,
    env: { ...process.env, PATH: bin, ...services },
    timeout: 120_000,
  });
  return [title, result.ok, result.output];
}

/** Blocks such as ```yaml title="pipeline.yaml", by their titles. */
function titledBlocks(file) {
  const text = readFileSync(file, 'utf8');
  return new Map(
    [...text.matchAll(/```\w+ title="([\w.-]+)"\n([\s\S]*?)```/g)].map(([, name, body]) => [name, body]),
  );
}

/** The first block of TypeScript in a README is its example: a whole program, with the database in DATABASE_URL. */
function firstExample(file) {
  if (!existsSync(file)) return undefined;
  return /```ts\n([\s\S]*?)```/.exec(readFileSync(file, 'utf8'))?.[1];
}
