import { createServer } from 'node:net';
import { describeWithService } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callEos, Child, withFolder, writeFiles, type Line } from '../eos.testing.js';
import { PIPELINE, ROWS, sumOf, visits, withWorld } from '../visits.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test('runs to the end in lines of JSON, and again with nothing to do', async () => {
    await withWorld(getService(), async (world) => {
      const child = world.start('run', 'pipeline.yaml');
      expect(await child.ended()).toMatchObject({ code: 0, stderr: '' });
      const { lines } = child;
      expect(lines.map(({ event }) => event)).toEqual([
        'start',
        'claim',
        ...visits.filter(({ id }) => id % 500 === 0).map(() => 'commit'),
        'end',
      ]);
      expect(lines[0]).toMatchObject({ pipeline: 'visits', guarantee: 'exactly-once' });
      expect(sumOf(lines, 'commit', 'rows')).toBe(ROWS);
      expect(lines.at(-1)).toMatchObject({
        reason: 'end',
        exitCode: 0,
        rows: ROWS,
        written: ROWS,
        commits: 40,
      });
      expect(await world.rows()).toEqual(visits);

      const again = world.start('run', 'pipeline.yaml', '--quiet');
      expect(await again.ended()).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(await world.rows()).toEqual(visits);
    });
  });

  test('what comes from the environment is shown by its name', async () => {
    await withWorld(getService(), async (world) => {
      const child = new Child(world.folder, ['run', 'pipeline.yaml'], { ...world.env, TABLE: 'hush_hush' });
      const { code, stdout } = await child.ended();
      expect(code).toBe(0);
      expect(stdout).not.toContain('hush');
      expect(child.lines[0]).toMatchObject({ sinks: ['warehouse (postgres "${TABLE}")'] });
      expect((await world.client.query('SELECT count(*)::int AS n FROM hush_hush')).rows).toEqual([
        { n: ROWS },
      ]);
    });
  });

  test('killed in the middle and run again, each row is there once', async () => {
    await withWorld(getService(), async (world) => {
      const killed = world.start('run', 'gated.yaml');
      await killed.line('commit', 2);
      killed.process.kill('SIGKILL');
      expect((await killed.ended()).code).toBe(null);
      await writeFiles(world.folder, { gate: '' });
      const child = world.start('run', 'gated.yaml');
      expect(await child.ended()).toMatchObject({ code: 0, stderr: '' });
      expect(sumOf(child.lines, 'commit', 'rows')).toBeLessThan(ROWS);
      expect(await world.rows()).toEqual(visits);
    });
  });

  test('the first signal ends in order, with a code of its own; the next run goes on', async () => {
    await withWorld(getService(), async (world) => {
      const child = world.start('run', 'gated.yaml');
      await child.line('commit', 4);
      child.process.kill('SIGTERM');
      await child.line('stop');
      await writeFiles(world.folder, { gate: '' });
      expect(await child.ended()).toMatchObject({ code: 4, stderr: '' });
      expect(child.lines.find(({ event }) => event === 'stop')).toMatchObject({ signal: 'SIGTERM' });
      expect(child.lines.at(-1)).toMatchObject({ event: 'end', reason: 'stopped', exitCode: 4 });
      const next = world.start('run', 'gated.yaml');
      expect(await next.ended()).toMatchObject({ code: 0, stderr: '' });
      expect(await world.rows()).toEqual(visits);
    });
  });

  test('a second signal ends at once', async () => {
    await withWorld(getService(), async (world) => {
      const child = world.start('run', 'gated.yaml');
      await child.line('commit', 4);
      child.process.kill('SIGINT');
      await child.line('stop');
      child.process.kill('SIGINT');
      expect((await child.ended()).code).toBe(130);
    });
  });

  test('a status while a run is on disturbs nobody, and a second copy fences the first', async () => {
    await withWorld(getService(), async (world) => {
      const status = async (file: string) => {
        const { code, stdout, stderr } = await callEos(world.folder, ['status', file], { env: world.env });
        expect([code, stderr]).toEqual([0, '']);
        const read = JSON.parse(stdout) as { sinks: [{ partitions: [Line] }] };
        return read.sinks[0].partitions;
      };
      const size = String(visits.reduce((sum, visit) => sum + JSON.stringify(visit).length + 1, 0));
      expect(await status('gated.yaml')).toEqual([
        expect.objectContaining({
          partition: 'visits.ndjson',
          epoch: null,
          offset: null,
          lag: size,
          owner: null,
        }),
      ]);
      // It has made nothing.
      expect((await world.client.query(`SELECT to_regnamespace('eos') AS made`)).rows).toEqual([
        { made: null },
      ]);

      const first = world.start('run', 'gated.yaml');
      await first.line('commit', 4);
      const claim = await first.line('claim');
      const commit = first.lines.filter(({ event }) => event === 'commit').at(-1);
      const [found] = await status('gated.yaml');
      const { offset, epoch } = Object.values(commit?.['positions'] as Record<string, Line>)[0] ?? {};
      expect(found).toMatchObject({ offset, epoch, owner: claim['owner'], connected: true, unit: 'bytes' });
      expect(BigInt(String(found['lag'])) + BigInt(String(offset))).toBe(BigInt(size));
      expect(Date.parse(String(found['committedAt']))).toBeGreaterThan(0);

      const second = world.start('run', 'pipeline.yaml');
      expect((await second.ended()).code).toBe(0);
      await writeFiles(world.folder, { gate: '' });
      const fenced = await first.ended();
      expect(fenced).toMatchObject({ code: 3, stderr: expect.stringMatching(/^EOS_FENCED: /) });
      expect(first.lines.at(-1)).toMatchObject({ event: 'end', reason: 'fenced', exitCode: 3 });
      expect(first.lines.at(-2)).toMatchObject({ event: 'fence', code: 'EOS_FENCED' });
      expect(await world.rows()).toEqual(visits);
      expect(await status('gated.yaml')).toEqual([
        expect.objectContaining({ offset: size, lag: '0', connected: false }),
      ]);
    });
  });

  test('a status that watches looks again and again, and ends well at a signal', async () => {
    await withWorld(getService(), async (world) => {
      const child = world.start('status', 'pipeline.yaml', '--watch', '--interval', '0.1');
      await child.reports(3);
      child.process.kill('SIGINT');
      const { code, stdout, stderr } = await child.ended();
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout.trimEnd().split('\n').length).toBeGreaterThanOrEqual(3);
      const wrong = await callEos(world.folder, ['status', 'pipeline.yaml', '--interval', '0'], {
        env: world.env,
      });
      expect(wrong).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^EOS_CONFIG: --interval must be/),
      });
    });
  });

  test('a row that cannot be read fails the run, with the commits before it kept', async () => {
    await withWorld(getService(), async (world) => {
      const good = visits.slice(0, 1000).map((visit) => `${JSON.stringify(visit)}\n`);
      await writeFiles(world.folder, { 'visits.ndjson': `${good.join('')}{"id":"no number"}\n` });
      const child = world.start('run', 'pipeline.yaml');
      const { code, stderr } = await child.ended();
      expect(code).toBe(1);
      expect(stderr).toMatch(/^EOS_SOURCE_FORMAT: partition visits\.ndjson, offset \d+: column id/);
      expect(child.lines.at(-1)).toMatchObject({
        event: 'end',
        reason: 'failed',
        exitCode: 1,
        rows: 1000,
        error: { code: 'EOS_SOURCE_FORMAT' },
      });
      expect(await world.rows()).toEqual(visits.slice(0, 1000));
    });
  });
});

test('a database that is not there: the run tries again, and no secret is told', async () => {
  // A port that was free a moment ago, and that nobody listens on.
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  await withFolder(
    { 'pipeline.yaml': `${PIPELINE}retry: { attempts: 2, initialMs: 1, maxMs: 1 }\n`, 'visits.ndjson': '' },
    async (folder) => {
      const env = { DATABASE_URL: `postgresql://writer:hunter2hunter2@127.0.0.1:${port}/warehouse` };
      const child = new Child(folder, ['run', 'pipeline.yaml'], env);
      const { code, stdout, stderr } = await child.ended();
      expect([code, child.lines.map(({ event }) => event)]).toEqual([1, ['start', 'recover', 'end']]);
      expect(stderr).toMatch(/^EOS_UNAVAILABLE: /);
      expect(stdout + stderr).not.toContain('hunter2');
      const status = await callEos(folder, ['status', 'pipeline.yaml'], { env });
      expect(status).toMatchObject({ code: 1, stderr: expect.stringMatching(/^EOS_UNAVAILABLE: /) });
    },
  );
});
