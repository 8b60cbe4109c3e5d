import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tcpProxy, type TcpProxy } from '@eos/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PlannedKill } from './kill-plan.js';
import { runLives } from './lives.js';
import { byTable } from './tally.js';

let folder: string;
let server: Server;
let proxy: TcpProxy;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickstart-test-'));
  server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  // A TCP server that listens has an AddressInfo.
  proxy = await tcpProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
});

afterAll(async () => {
  await proxy.close();
  server.close();
  await rm(folder, { recursive: true });
});

/** Lives of a program that stands in for a writer, with one kill in the plan. Resolves with the kills that were made. */
async function lives(program: string, place: PlannedKill['place']): Promise<PlannedKill[]> {
  const file = join(folder, `${place}.mjs`);
  await writeFile(file, program);
  const kills: PlannedKill[] = [];
  await runLives({
    writer: pathToFileURL(file),
    task: {
      connection: String(proxy.port),
      folder: '',
      flightsFile: '',
      changelogFile: '',
      commitRows: byTable(() => 1),
    },
    proxy,
    plan: [{ table: 'flights', place, point: 'commit:before', count: 1 }],
    onNews: () => undefined,
    onWrite: () => Promise.resolve(),
    onKill: (kill) => void kills.push(kill),
    signal: new AbortController().signal,
  });
  return kills;
}

/** Stands still where asked to, and then does `next`; without a stop it ends. */
const stopping = (next: string) => `
  if (process.env.EOS_TESTKIT_STOP) {
    process.once('message', () => { ${next} });
    process.send({ eos: 'stopped' });
  }`;

describe('the lives of writers', () => {
  test('a writer that stands still is killed, and the next one goes on', async () => {
    expect(await lives(stopping(''), 'write')).toHaveLength(1);
  });

  test('a writer is killed when its COMMIT is on its way', async () => {
    const commit = `
      const { connect } = await import('node:net');
      connect(JSON.parse(process.env.EOS_QUICKSTART_TASK).connection).write('COMMIT');`;
    expect(await lives(stopping(`(async () => { ${commit} })();`), 'landed')).toHaveLength(1);
  });

  test('a writer that ends before its place fails the run', async () => {
    await expect(lives(`console.log('nothing to do')`, 'write')).rejects.toThrow('nothing to do');
  });

  test('a writer that ends before its COMMIT fails the run', async () => {
    await expect(lives(stopping(`console.log('no commit'); process.exit(0)`), 'lost')).rejects.toThrow(
      'no commit',
    );
  });

  test('a last writer that fails fails the run', async () => {
    await expect(lives(`${stopping('')} else throw new Error('lost')`, 'prepared')).rejects.toThrow('lost');
  });
});
