import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { tcpProxy, type TcpProxy } from './tcp-proxy.js';

/** A server that remembers what it was sent and answers each chunk with `<chunk>`. */
async function echoServer() {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk.toString());
      socket.write(`<${chunk.toString()}>`);
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const close = () => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  };
  return { port, received, sockets, close };
}

/** Waits for what comes as soon as the sockets get on; the test's own timeout ends it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

interface TestClient {
  readonly socket: Socket;
  readonly received: string[];
  /** Resolves with the error's code, or `ended`. */
  readonly closed: Promise<string>;
  send(text: string): void;
  /** Sends and waits for the answer to it. */
  ask(text: string): Promise<string>;
}

async function clientOf(port: number): Promise<TestClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const received: string[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk.toString()));
  let code = 'ended';
  socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code ?? error.message));
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(code)));
  // A refused connection may be reset before it counts as made.
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  const send = (text: string) => void socket.write(text);
  const ask = async (text: string) => {
    const answer = once(socket, 'data');
    send(text);
    return String((await answer)[0]);
  };
  return { socket, received, closed, send, ask };
}

describe('tcpProxy', () => {
  let server: Awaited<ReturnType<typeof echoServer>>;
  let proxy: TcpProxy;
  let client: TestClient;

  beforeEach(async () => {
    server = await echoServer();
    proxy = await tcpProxy({ host: '127.0.0.1', port: server.port });
    client = await clientOf(proxy.port);
  });

  afterEach(async () => {
    client.socket.destroy();
    await proxy.close();
    server.close();
  });

  test('passes everything on and counts bytes and round trips', async () => {
    for (const word of ['a', 'bb', 'ccc']) expect(await client.ask(word)).toBe(`<${word}>`);
    expect(proxy.statistics()).toEqual({
      requestBytes: 6,
      answerBytes: 12,
      roundTrips: 3,
      acceptedConnections: 1,
      refusedConnections: 0,
    });
    client.socket.end();
    expect(await client.closed).toBe('ended');
    await until(() => proxy.connections.length === 0);
    expect(proxy.statistics().roundTrips).toBe(3);
  });

  test('passes large amounts through with back-pressure, in order', async () => {
    const sink = createServer((socket) => socket.pipe(socket));
    sink.listen(0, '127.0.0.1');
    await once(sink, 'listening');
    const through = await tcpProxy({ host: '127.0.0.1', port: (sink.address() as AddressInfo).port });
    const socket = connect({ port: through.port, host: '127.0.0.1' });
    const block = Buffer.alloc(1 << 16);
    let expected = 0;
    let isOrdered = true;
    socket.on('data', (chunk: Buffer) => {
      for (const byte of chunk) isOrdered &&= byte === expected++ % 251;
    });
    let sent = 0;
    for (let count = 0; count < 256; count++) {
      for (let index = 0; index < block.length; index++) block[index] = sent++ % 251;
      if (!socket.write(Buffer.from(block))) await once(socket, 'drain');
    }
    socket.end();
    await once(socket, 'close');
    expect({ isOrdered, expected }).toEqual({ isOrdered: true, expected: 256 << 16 });
    await through.close();
    sink.close();
  }, 20_000);

  test('adds the round-trip time it was asked for, never less', async () => {
    await client.ask('warm up');
    proxy.setLatency(20);
    const times: number[] = [];
    // Once, not on the way there and on the way back: on a busy machine, most answers take longer for other reasons.
    while (times.length < 10 || (Math.min(...times) >= 39 && times.length < 500)) {
      const start = performance.now();
      await client.ask('x');
      times.push(performance.now() - start);
    }
    expect(Math.min(...times)).toBeGreaterThanOrEqual(19.5);
    expect(Math.min(...times)).toBeLessThan(39);
    expect(client.received.join('')).toBe(`<warm up>${'<x>'.repeat(times.length)}`);
  });

  test('cuts at a chosen byte of a request', async () => {
    const fault = proxy.arm({ on: 'request', do: 'cut', afterBytes: 5 });
    await client.ask('abc');
    expect(fault.hasStruck).toBe(false);
    client.send('defg');
    expect(await client.closed).toBe('ECONNRESET');
    await until(() => server.sockets.size === 0);
    expect(server.received).toEqual(['abc', 'de']);
  });

  test('lets a request land and loses its answer', async () => {
    const next = { on: 'answer', do: 'cut' } as const;
    const fault = proxy.arm({ on: 'request', do: 'pass', when: (chunk) => chunk.includes('COMMIT'), next });
    expect(await client.ask('INSERT')).toBe('<INSERT>');
    expect(fault.hasStruck).toBe(false);
    client.send('COMMIT');
    expect(await client.closed).toBe('ECONNRESET');
    expect((await fault.struck).id).toBe(1);
    expect(server.received).toEqual(['INSERT', 'COMMIT']);
    expect(client.received).toEqual(['<INSERT>']);
  });

  test('delivers a stranded request late, when its client is long gone', async () => {
    const fault = proxy.arm({ on: 'request', do: 'strand' });
    client.send('COMMIT');
    expect(await client.closed).toBe('ECONNRESET');
    await delay(20);
    expect(server.received).toEqual([]);
    expect(server.sockets.size).toBe(1);
    await fault.release();
    expect(server.received).toEqual(['COMMIT']);
    await until(() => server.sockets.size === 0);
  });

  test('does not wait for the answer of a server that has hung up', async () => {
    const fault = proxy.arm({ on: 'request', do: 'strand' });
    client.send('COMMIT');
    await client.closed;
    for (const socket of server.sockets) socket.end('goodbye');
    await delay(20);
    const start = performance.now();
    await fault.release();
    // An answer would be waited for for five seconds.
    expect(performance.now() - start).toBeLessThan(4_000);
  });

  test('withholds an answer until it is released', async () => {
    const fault = proxy.arm({ on: 'answer', do: 'hold' });
    client.send('a');
    await fault.struck;
    await delay(20);
    expect(client.received).toEqual([]);
    await fault.release();
    await once(client.socket, 'data');
    expect(client.received).toEqual(['<a>']);
    expect(await client.ask('b')).toBe('<b>');
  });

  test('drops without telling: the server keeps a half-open connection', async () => {
    proxy.connections[0]?.drop('request');
    client.send('lost');
    client.socket.destroy();
    await client.closed;
    await delay(30);
    expect(server.received).toEqual([]);
    expect(server.sockets.size).toBe(1);
  });

  test('a disarmed fault does not strike', async () => {
    proxy.arm({ on: 'request', do: 'cut' }).disarm();
    expect(await client.ask('a')).toBe('<a>');
  });

  test('refuses and accepts new connections, and cuts the open ones', async () => {
    proxy.refuse();
    proxy.cutAll();
    expect(await client.closed).toBe('ECONNRESET');
    const refused = await clientOf(proxy.port);
    expect(await refused.closed).toBe('ECONNRESET');
    proxy.accept();
    client = await clientOf(proxy.port);
    expect(await client.ask('again')).toBe('<again>');
    expect(proxy.statistics()).toMatchObject({ acceptedConnections: 2, refusedConnections: 1 });
  });

  test('a client is told when the server cannot be reached', async () => {
    server.close();
    const lost = await clientOf(proxy.port);
    expect(await lost.closed).toBe('ECONNRESET');
  });

  test('refuses a latency that is none', async () => {
    await expect(tcpProxy({ host: '127.0.0.1', port: 1, latencyMs: -1 })).rejects.toThrow(RangeError);
  });
});
