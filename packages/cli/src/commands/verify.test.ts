import { createWriteStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline as flow } from 'node:stream/promises';
import { describeWithService, type PostgresService } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { callEos, Child, withFolder, writeFiles, type Ended } from '../eos.testing.js';
import type { VerifyReport } from '../verify/report.js';

const seed = Number(process.env['EOS_TEST_SEED'] ?? Date.now() % 2 ** 31);
/** `npm run proof -- verify` takes a million. */
const ROWS = Number(process.env['EOS_VERIFY_ROWS'] ?? 200_000);

class World {
  constructor(
    readonly folder: string,
    readonly client: Client,
    readonly env: Readonly<Record<string, string>>,
  ) {}

  async run(): Promise<void> {
    const { code, stderr } = await new Child(
      this.folder,
      ['run', 'pipeline.yaml', '--quiet'],
      this.env,
    ).ended();
    expect([code, stderr]).toEqual([0, '']);
  }

  verify(...options: string[]): Promise<Ended> {
    return callEos(this.folder, ['verify', 'pipeline.yaml', ...options], { env: this.env });
  }

  async report(code: number, ...options: string[]): Promise<VerifyReport> {
    const ended = await this.verify(...options);
    expect([ended.code, ended.stderr]).toEqual([code, '']);
    return JSON.parse(ended.stdout) as VerifyReport;
  }
}

function pipelineOf(sink: string, more = ''): string {
  return `id: visits
columns: { id: int64, city: string, rain: float64?, at: timestamp }
source: { use: ndjson, path: visits.ndjson }
sinks:
  warehouse: { use: '@eos/postgres', connection: '\${DATABASE_URL}', table: visits, ${sink} }
${more}`;
}

const WITH_SCHEMA = 'schema: { id: int64, city: string, rain: float64?, at: timestamp }';

async function withWorld(
  service: PostgresService,
  files: Readonly<Record<string, string>>,
  work: (world: World) => Promise<void>,
): Promise<void> {
  await withFolder(files, async (folder) => {
    const database = await service.createDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      await work(new World(folder, client, { DATABASE_URL: database.url }));
    } finally {
      await client.end();
      await database.drop();
    }
  });
}

function visitAt(id: number) {
  const at = new Date(1_700_000_000_000 + id * 61_007).toISOString();
  return { id, city: CITIES[id % CITIES.length], rain: id % 10 === 0 ? null : (id % 300) / 8, at };
}
const CITIES = ['Oslo', 'Bergen', 'Tromsø', 'Å i\tLofoten'];

function linesOf(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

const visits = Array.from({ length: 1_000 }, (_, id) => visitAt(id));
const files = { 'pipeline.yaml': pipelineOf('mode: append'), 'visits.ndjson': linesOf(visits) };

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test(`finds a lost, a doubled, a changed and a foreign row among ${ROWS} in bounded memory (seed ${seed})`, async () => {
    const transform = `import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync('memory', String(process.resourceUsage().maxRSS)));
export default ({ rows, offsets }) => ({ rows, offsets });`;
    const configuration = pipelineOf(WITH_SCHEMA, 'transform: ./transform.mjs');
    await withWorld(
      getService(),
      { 'pipeline.yaml': configuration, 'transform.mjs': transform },
      async (world) => {
        const { folder, client } = world;
        const source = Readable.from(blocksOf(ROWS));
        await flow(source, createWriteStream(join(folder, 'visits.ndjson')));
        await world.run();
        const [lost, doubled, changed, foreign] = [1, 2, 3, 4].map((step) => (seed + step * 49_999) % ROWS);
        await client.query(`
        INSERT INTO visits SELECT * FROM visits WHERE id = ${doubled};
        INSERT INTO visits SELECT -1, city, rain, at FROM visits WHERE id = ${foreign};
        UPDATE visits SET rain = coalesce(rain, 0) + 0.5, city = 'Bodø' WHERE id = ${changed};
        DELETE FROM visits WHERE id = ${lost}`);
        // No more than this for objects; buffers are outside of it, and counted by the system.
        const env = { ...world.env, NODE_OPTIONS: '--max-old-space-size=96' };
        const child = new Child(folder, ['verify', 'pipeline.yaml', '--key', 'id', '--temp', folder], env);
        const { code, stdout, stderr } = await child.ended();
        expect([code, stderr]).toEqual([1, '']);
        const report = JSON.parse(stdout) as VerifyReport;
        expect(report).toMatchObject({ verdict: 'different', expected: ROWS, found: ROWS + 1, unjudged: 0 });
        expect(report.counts).toEqual({ lost: 1, doubled: 1, changed: 1, foreign: 1 });
        const text = await readFile(join(folder, 'visits.ndjson'), 'utf8');
        const place = (id = 0) => ({
          partition: 'visits.ndjson',
          offset: String(Buffer.byteLength(text.slice(0, text.indexOf(`{"id":${id},`)))),
        });
        const rain = visitAt(changed ?? 0).rain;
        expect(report.rows).toEqual([
          { kind: 'lost', copies: 1, row: rowOf(lost), ...place(lost) },
          { kind: 'doubled', copies: 1, row: rowOf(doubled), ...place(doubled) },
          {
            ...{ kind: 'changed', copies: 1, row: { id: String(changed) }, ...place(changed) },
            columns: {
              city: { expected: visitAt(changed ?? 0).city, found: 'Bodø' },
              rain: { expected: rain === null ? null : String(rain), found: String((rain ?? 0) + 0.5) },
            },
          },
          { kind: 'foreign', copies: 1, row: { ...rowOf(foreign), id: '-1' } },
        ]);
        // In kilobytes: Node itself takes 60,000.
        expect(Number(await readFile(join(folder, 'memory'), 'utf8'))).toBeLessThan(320_000);
        expect((await readdir(folder)).filter((name) => name.startsWith('eos-verify'))).toEqual([]);
      },
    );
  }, 600_000);

  test('says that all is well, also while the pipeline is only part of the way', async () => {
    await withWorld(getService(), files, async (world) => {
      // Never run: nothing is there, and nothing has to be.
      await world.client.query('CREATE TABLE visits (id int8, city text, rain float8, at timestamptz)');
      const never = await world.report(0);
      expect(never).toMatchObject({ verdict: 'equal', expected: 0, found: 0, positions: {} });
      expect(never.notes.join()).toContain('nothing was ever committed');
      await world.run();
      const offset = String(Buffer.byteLength(files['visits.ndjson']));
      const report = await world.report(0);
      expect(report).toMatchObject({ pipeline: 'visits', sink: 'warehouse', expected: 1000, found: 1000 });
      expect(report.positions).toEqual({ 'visits.ndjson': offset });
      // What comes after the position is not expected yet.
      await writeFiles(world.folder, { 'visits.ndjson': linesOf([...visits, visitAt(1_000)]) });
      expect(await world.report(0)).toMatchObject({ verdict: 'equal', expected: 1000, rows: [], notes: [] });
    });
  });

  test('counts copies where there is no key, and gives ranges where the transform keeps no offsets', async () => {
    const transform = 'export default (batch) => batch.rows.map((row) => ({ ...row, city: "all" }));';
    const configuration = pipelineOf(WITH_SCHEMA, 'transform: ./transform.mjs');
    await withWorld(
      getService(),
      { ...files, 'pipeline.yaml': configuration, 'transform.mjs': transform },
      async (world) => {
        await world.run();
        expect(await world.report(0)).toMatchObject({ verdict: 'equal', expected: 1000 });
        await world.client.query(
          `UPDATE visits SET id = 5 WHERE id = 6; INSERT INTO visits SELECT v.* FROM visits v, generate_series(1, 3) WHERE v.id = 9`,
        );
        const report = await world.report(1);
        expect(report.counts).toEqual({ lost: 1, doubled: 3, changed: 0, foreign: 1 });
        const [lost, doubled] = report.rows;
        expect(lost).toMatchObject({
          kind: 'lost',
          row: { id: '6', city: 'all' },
          partition: 'visits.ndjson',
        });
        expect(doubled).toMatchObject({ kind: 'doubled', copies: 3, row: { id: '9' } });
        expect(Number(lost?.nextOffset)).toBeGreaterThan(Number(lost?.offset));
        expect(await world.report(1, '--limit', '0')).toMatchObject({ counts: report.counts, rows: [] });
      },
    );
  });

  test('of an upsert, the last change of each key counts', async () => {
    const changes = [
      ...visits.map((visit) => ({ ...visit, op: '+I' })),
      ...visits.slice(0, 500).map((visit) => ({ ...visit, city: 'moved', op: '+U' })),
      ...visits.slice(100, 200).map((visit) => ({ ...visit, op: '-D' })),
      ...visits.slice(150, 160).map((visit) => ({ ...visit, city: 'back', op: '+I' })),
    ];
    const configuration = pipelineOf('mode: upsert, key: [id]').replace(
      'path: visits.ndjson',
      'path: visits.ndjson, op: op, changelog: upsert',
    );
    await withWorld(
      getService(),
      { 'pipeline.yaml': configuration, 'visits.ndjson': linesOf(changes) },
      async (world) => {
        await world.run();
        expect(await world.report(0)).toMatchObject({ verdict: 'equal', expected: 910, found: 910 });
        await world.client
          .query(`DELETE FROM visits WHERE id = 155; UPDATE visits SET city = 'Oslo' WHERE id = 0;
        INSERT INTO visits VALUES (120, 'gone', NULL, now())`);
        const report = await world.report(1);
        expect(report.counts).toEqual({ lost: 1, doubled: 0, changed: 1, foreign: 1 });
        expect(report.rows.map(({ kind, row, columns }) => [kind, row['id'], columns])).toEqual([
          ['lost', '155', undefined],
          ['changed', '0', { city: { expected: 'moved', found: 'Oslo' } }],
          ['foreign', '120', undefined],
        ]);
      },
    );
  });

  test('of a retract, the copies that are left count', async () => {
    const changes = [
      ...visits.map((visit) => ({ ...visit, op: '+I' })),
      ...visits.slice(0, 300).map((visit) => ({ ...visit, op: '+I' })),
      ...visits.slice(200, 400).map((visit) => ({ ...visit, op: '-D' })),
    ];
    const configuration = pipelineOf('mode: retract').replace(
      'path: visits.ndjson',
      'path: visits.ndjson, op: op, changelog: retract',
    );
    await withWorld(
      getService(),
      { 'pipeline.yaml': configuration, 'visits.ndjson': linesOf(changes) },
      async (world) => {
        await world.run();
        expect(await world.report(0)).toMatchObject({ verdict: 'equal', expected: 1100, found: 1100 });
        await world.client.query(
          `DELETE FROM visits WHERE ctid IN (SELECT min(ctid) FROM visits WHERE id = 7)`,
        );
        const report = await world.report(1);
        expect(report.counts).toEqual({ lost: 1, doubled: 0, changed: 0, foreign: 0 });
        expect(report.rows[0]?.row).toMatchObject({ id: '7' });
      },
    );
  });

  test('judges no more than it can: older rows, and a part of the source', async () => {
    await withWorld(getService(), files, async (world) => {
      await world.client
        .query(`CREATE TABLE visits (id int8 PRIMARY KEY, city text, rain float8, at timestamptz);
        INSERT INTO visits VALUES (-1, 'old', NULL, now()), (-2, 'old', NULL, now())`);
      await world.run();
      expect((await world.report(1)).counts).toMatchObject({ foreign: 2 });
      const older = await world.report(0, '--older-rows');
      expect(older).toMatchObject({ verdict: 'equal', unjudged: 2, rows: [] });
      expect(older.notes.join()).toContain('2 rows');
      const start = Buffer.byteLength(linesOf(visits.slice(0, 400)));
      await world.client.query(`UPDATE visits SET city = 'x' WHERE id IN (399, 400)`);
      const part = await world.report(1, '--from', `visits.ndjson=${start}`);
      expect(part).toMatchObject({ expected: 600, found: 1002, unjudged: 402 });
      expect(part.rows.map(({ kind, row }) => [kind, row['id']])).toEqual([['changed', '400']]);
    });
  });

  test('says so where a transform does not give the same rows again, early or late', async () => {
    const random = 'export default (batch) => batch.rows.map((row) => ({ ...row, rain: Math.random() }));';
    const cut = 'export default (batch) => batch.rows.map((row, index) => ({ ...row, rain: index }));';
    // Only behind the sample, and only when it is read again.
    const late = `let calls = 0;
export default (batch) => batch.rows.map((row) => ({ ...row, rain: row.id > 6000n ? calls++ : 1 }));`;
    const configuration = pipelineOf(WITH_SCHEMA, 'transform: ./transform.mjs');
    const many = linesOf(Array.from({ length: 7_000 }, (_, id) => visitAt(id)));
    await withWorld(
      getService(),
      { 'pipeline.yaml': configuration, 'visits.ndjson': many, 'transform.mjs': random },
      async (world) => {
        await world.run();
        for (const transform of [random, cut, late]) {
          await writeFiles(world.folder, { 'transform.mjs': transform });
          // A process of its own: a module is loaded once.
          const child = new Child(world.folder, ['verify', 'pipeline.yaml'], world.env);
          const { code, stdout, stderr } = await child.ended();
          expect([code, stderr]).toEqual([5, '']);
          expect(JSON.parse(stdout)).toMatchObject({
            verdict: 'unrepeatable',
            counts: { lost: 0, changed: 0 },
            rows: [],
          });
        }
      },
    );
  });

  test('a source that was replaced, a key that is none and options that are wrong are errors', async () => {
    await withWorld(getService(), files, async (world) => {
      await world.run();
      const wrong: [readonly string[], RegExp][] = [
        [['--key', 'nothing'], /key: "nothing" is no column/],
        [['--limit', 'many'], /--limit/],
        [['--temp', 'no/such/folder'], /temporary files/],
        [['--from', 'visits.ndjson'], /--from/],
      ];
      for (const [options, message] of wrong) {
        expect(await world.verify(...options)).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(message),
        });
      }
      await writeFiles(world.folder, { 'visits.ndjson': linesOf(visits.slice(1)) });
      expect(await world.verify()).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^EOS_SOURCE_CHANGED/),
      });
    });
  });
});

function rowOf(id = 0) {
  const { city, rain, at } = visitAt(id);
  const moment = at.replace('T', ' ').replace(/\.?0*Z$/, '+00');
  return { id: String(id), city, rain: rain === null ? null : String(rain), at: moment };
}

function* blocksOf(count: number): Generator<string> {
  for (let start = 0; start < count; start += 1_000) {
    yield linesOf(
      Array.from({ length: Math.min(1_000, count - start) }, (_, index) => visitAt(start + index)),
    );
  }
}
