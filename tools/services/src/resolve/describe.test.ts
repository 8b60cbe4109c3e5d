import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { describeWithServer, describeWithService } from './describe.js';
import type { TestRunner } from './describe.js';

const runner: TestRunner = { describe, beforeAll, afterAll };

describeWithService(runner, 'postgres', (getService) => {
  test('gives a service inside of tests', async () => {
    const database = await getService().createDatabase();
    await database.drop();
  });

  test('gives no service before', () => {
    expect(before).toThrow('only while tests run');
  });

  const before = captureNow(getService);
});

describeWithServer(runner, 'postgres', (getServer) => {
  test('gives a server that can be restarted', async () => {
    await getServer().restart('fast');
    expect(getServer().port).toBeGreaterThan(0);
  });
});

/** What calling it right now, while tests are being declared, does. */
function captureNow(work: () => unknown): () => void {
  try {
    work();
    return () => undefined;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
