import { describeWithService } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callEos, writeFiles } from '../eos.testing.js';
import { PIPELINE, ROWS, sumOf, visits, withWorld } from '../visits.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test('bad rows that are set aside are told, and the run goes on', async () => {
    await withWorld(getService(), async (world) => {
      await world.client.query(
        'CREATE TABLE visits (id bigint, city text CHECK (length(city) < 8), note text)',
      );
      const text = PIPELINE.replace('    table:', '    badRows: dead-letter\n    table:');
      await writeFiles(world.folder, { 'pipeline.yaml': text.replace('rows: 500', 'rows: 5000') });
      // `city 10` and beyond have seven letters; one row in the middle has eight.
      const odd = visits.map((visit) => (visit.id === 7_777 ? { ...visit, city: 'city 777' } : visit));
      await writeFiles(world.folder, {
        'visits.ndjson': odd.map((visit) => `${JSON.stringify(visit)}\n`).join(''),
      });
      const child = world.start('run', 'pipeline.yaml');
      expect(await child.ended()).toMatchObject({ code: 0, stderr: '' });
      expect(child.lines.filter(({ event }) => event === 'reject')).toEqual([
        expect.objectContaining({ rows: 1, examples: [{ code: 'EOS_ROW', message: expect.any(String) }] }),
      ]);
      expect(sumOf(child.lines, 'commit', 'rejected')).toBe(1);
      expect(child.lines.at(-1)).toMatchObject({ event: 'end', rows: ROWS, rejected: 1 });
      expect(await world.rows()).toEqual(visits.filter(({ id }) => id !== 7_777));

      // What the row was rejected for is mended, and it is written after all, once.
      const letters = (...words: string[]) =>
        callEos(world.folder, ['dead-letters', ...words], { env: world.env });
      const listed = await letters('list', 'pipeline.yaml');
      expect([listed.code, listed.stderr]).toEqual([0, '']);
      expect(JSON.parse(listed.stdout)).toMatchObject({
        partition: 'visits.ndjson',
        code: 'EOS_ROW',
        op: '+I',
        row: { city: 'city 777' },
        replayedAt: null,
      });
      const again = { code: 1, stdout: '{"replayed":0,"rejected":1}\n' };
      expect(await letters('replay', 'pipeline.yaml')).toMatchObject(again);
      await world.client.query('ALTER TABLE visits DROP CONSTRAINT visits_city_check');
      const replayed = { code: 0, stdout: '{"replayed":1,"rejected":0}\n', stderr: '' };
      expect(await letters('replay', 'pipeline.yaml')).toEqual(replayed);
      expect(await letters('replay', 'pipeline.yaml')).toMatchObject({
        stdout: '{"replayed":0,"rejected":0}\n',
      });
      expect(await letters('list', 'pipeline.yaml')).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(await world.rows()).toEqual(odd);
    });
  });
});
