/** The commands on a bucket of a real server, and on a second pipeline that reads what the first one commits to it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { callEos, withFolder, writeFiles } from '../eos.testing.js';

const ROWS = 300;
const COMMIT_ROWS = 100;

const PLACE = `bucket: \${BUCKET}
    prefix: \${PREFIX}
    client:
      endpoint: \${ENDPOINT}
      region: \${REGION}
      forcePathStyle: true
      credentials: { accessKeyId: '\${KEY}', secretAccessKey: '\${SECRET}' }`;

const COLUMNS = `columns: { id: int64, city: string }`;

/** An upsert, with a change of every row, and a delete of some that brings the key only. */
const FIRST = `id: first
${COLUMNS}
source: { use: ndjson, path: changes.ndjson, op: op, changelog: upsert }
sinks:
  lake:
    use: '@eos/s3'
    mode: upsert
    key: [id]
    format: parquet
    ${PLACE}
trigger: { rows: ${COMMIT_ROWS}, intervalMs: 600000 }
`;

const SECOND = `id: second
${COLUMNS}
source:
    use: '@eos/s3'
    pipeline: first
    sink: lake
    changelog: upsert
    ${PLACE}
sinks:
  copy: { use: '@eos/s3', mode: upsert, key: [id], folder: copy }
trigger: { rows: 70, intervalMs: 600000 }
`;

const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const ids = Array.from({ length: ROWS }, (_, id) => id);
const changes = [
  ...ids.map((id) => ({ op: '+I', id, city: `city ${id}` })),
  ...ids.map((id) => ({ op: '+U', id, city: `town ${id}` })),
  ...ids.filter((id) => id % 10 === 0).map((id) => ({ op: '-D', id })),
];
const LEFT = ROWS - ROWS / 10;

const FILES = { 'first.yaml': FIRST, 'second.yaml': SECOND, 'changes.ndjson': lines(changes) };

describeWithService({ describe, beforeAll, afterAll }, 's3', (getService) => {
  test('is written, told about, compared, compacted, vacuumed, and read by the next pipeline', async () => {
    const { endpoint, region, accessKeyId, secretAccessKey, bucket } = getService();
    const env = {
      ENDPOINT: endpoint,
      REGION: region,
      KEY: accessKeyId,
      SECRET: secretAccessKey,
      BUCKET: bucket,
      PREFIX: `tables/${randomUUID()}`,
    };
    await withFolder(FILES, async (folder) => {
      const call = async (...words: string[]): Promise<unknown> => {
        const { code, stdout, stderr } = await callEos(folder, words, { env });
        expect(stderr.replaceAll(/^.*Node\.js.*$|^\(.*$|^\s*$/gm, '').trim()).toBe('');
        expect(code).toBe(0);
        return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      };
      const equal = { verdict: 'equal', found: LEFT };
      await call('run', 'first.yaml');
      expect(await call('status', 'first.yaml')).toMatchObject({
        sinks: [{ sink: 'lake', partitions: [{ lag: '0' }] }],
      });
      expect(await call('verify', 'first.yaml')).toMatchObject(equal);
      await call('run', 'second.yaml');
      expect(await call('verify', 'second.yaml')).toMatchObject(equal);

      expect(await call('compact', 'first.yaml')).toMatchObject({ after: { files: 1, rows: LEFT } });
      await call('vacuum', 'first.yaml', '--delete');
      expect(await call('vacuum', 'first.yaml')).toMatchObject({ dryRun: true });
      const { files } = (await call('vacuum', 'first.yaml', '--delete')) as { readonly files: number };
      expect(files).toBeGreaterThan(1);
      expect(await call('verify', 'first.yaml')).toMatchObject(equal);

      // Both go on behind it.
      const more = [...changes, { op: '+I', id: ROWS, city: 'new' }];
      await writeFiles(folder, { 'changes.ndjson': lines(more) });
      await call('run', 'first.yaml');
      const waiting = await call('status', 'second.yaml');
      expect(waiting).toMatchObject({ sinks: [{ partitions: [{ partition: 'first/lake', lag: '1' }] }] });
      await call('run', 'second.yaml');
      const status = await call('status', 'second.yaml');
      expect(status).toMatchObject({ sinks: [{ partitions: [{ lag: '0' }] }] });
    });
  });
});
