import { describeWithService } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { callEos } from '../eos.testing.js';
import { ROWS, sumOf, visits, withWorld } from '../visits.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test('a destination that was filled by other code is adopted, and the run goes on behind its rows', async () => {
    await withWorld(getService(), async (world) => {
      await world.client.query('CREATE TABLE visits (id bigint, city text, note text)');
      const here = visits.slice(0, 700);
      await world.client.query('INSERT INTO visits SELECT * FROM json_populate_recordset(NULL::visits, $1)', [
        JSON.stringify(here),
      ]);
      const adopt = (...words: string[]) =>
        callEos(world.folder, ['adopt', 'pipeline.yaml', ...words], { env: world.env });
      const offset = here.reduce((sum, visit) => sum + JSON.stringify(visit).length + 1, 0);
      expect(await adopt(`visits.ndjson=${offset - 1}`)).toMatchObject({ code: 2, stdout: '' });
      const adopted = {
        pipeline: 'visits',
        positions: { 'visits.ndjson': { epoch: '1', offset: String(offset) } },
      };
      for (const words of [['--rows', 'visits.ndjson=700'], [`visits.ndjson=${offset}`]]) {
        expect(await adopt(...words)).toEqual({
          code: 0,
          stdout: `${JSON.stringify(adopted)}\n`,
          stderr: '',
        });
      }
      const child = world.start('run', 'pipeline.yaml');
      expect(await child.ended()).toMatchObject({ code: 0, stderr: '' });
      expect(sumOf(child.lines, 'commit', 'rows')).toBe(ROWS - 700);
      expect(await world.rows()).toEqual(visits);
      expect(await adopt('visits.ndjson=0')).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^EOS_POSITION_EXISTS: /),
      });
    });
  });
});
