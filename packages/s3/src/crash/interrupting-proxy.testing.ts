/** An HTTP proxy in front of a real server, which strikes a request that it counts. */
import { once } from 'node:events';
import { createServer, request as sendRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Strikes, type Interrupter } from './interruption.testing.js';

export interface InterruptingProxy {
  readonly endpoint: string;
  readonly interrupter: Interrupter;
  close(): Promise<void>;
}

interface Received {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

/** Requests and answers are passed on whole: memory holds one of each that is under way. */
export async function interruptingProxy(target: string): Promise<InterruptingProxy> {
  const strikes = new Strikes();
  const { hostname, port } = new URL(target);

  const forward = async ({ request, body }: Received) => {
    const { method, url: path, headers } = request;
    const sent = sendRequest({ hostname, port, method, path, headers, agent: false });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return { answer, body: await bodyOf(answer) };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const received = { request, body: await bodyOf(request) };
    const blow = strikes.isDead ? 'before' : strikes.next();
    if (blow === 'before') strikes.die();
    if (blow === 'late') strikes.keep(() => forward(received));
    if (blow === 'before' || blow === 'late') {
      request.socket.destroy();
      return;
    }
    const { answer, body } = await forward(received);
    if (blow === 'after') strikes.die();
    if (blow !== undefined) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    response.end(body);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It listens on TCP, so it has a port.
  const address = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    interrupter: strikes,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
