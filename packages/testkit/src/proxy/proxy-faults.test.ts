import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { proxyFaults, proxyOutage } from './proxy-faults.js';
import { tcpProxy, type TcpProxy } from './tcp-proxy.js';

describe('proxyFaults', () => {
  let server: Server;
  let proxy: TcpProxy;
  let received: string[];
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    received = [];
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        received.push(chunk.toString());
        socket.write('ok');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await tcpProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  });

  afterEach(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  /** The answer, or `lost`. */
  async function ask(text: string): Promise<string> {
    const socket = connect({ host: '127.0.0.1', port: proxy.port });
    socket.write(text);
    const answer = await new Promise<string>((resolve) => {
      socket.on('data', (chunk: Buffer) => resolve(chunk.toString()));
      socket.on('error', () => resolve('lost'));
      socket.on('close', () => resolve('lost'));
    });
    socket.destroy();
    return answer;
  }

  const isCommit = (chunk: Buffer) => chunk.includes('COMMIT');

  test('answer-lost: the request lands', async () => {
    const faults = proxyFaults(proxy, { isCommit });
    await faults.arm('answer-lost');
    expect([await ask('INSERT'), await ask('COMMIT'), await ask('COMMIT')]).toEqual(['ok', 'lost', 'ok']);
    expect(received).toEqual(['INSERT', 'COMMIT', 'COMMIT']);
  });

  test('request-lost: it does not', async () => {
    const faults = proxyFaults(proxy);
    await faults.arm('request-lost');
    expect([await ask('COMMIT'), await ask('SELECT')]).toEqual(['lost', 'ok']);
    expect(received).toEqual(['SELECT']);
  });

  test('request-late: it does at release', async () => {
    const faults = proxyFaults(proxy);
    await faults.arm('request-late');
    expect([await ask('COMMIT'), await ask('SELECT')]).toEqual(['lost', 'ok']);
    await faults.release();
    await faults.release();
    expect(received).toEqual(['SELECT', 'COMMIT']);
  });

  test('an outage begins and ends', async () => {
    const outage = proxyOutage(proxy);
    await outage.stop();
    expect(await ask('SELECT')).toBe('lost');
    await outage.start();
    expect(await ask('SELECT')).toBe('ok');
  });
});
