import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

import { ServiceError } from '../errors.js';

// Below the range from which Linux (32768), macOS and Windows (49152) take the local ports of outgoing connections.
// A port from inside that range may be taken by some client while our server restarts.
const LOWEST_PORT = 20_000;
const HIGHEST_PORT = 32_000;
const ATTEMPTS = 50;

/** A port of 127.0.0.1 on which nothing listened a moment ago. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    if (await isFree(port)) return port;
  }
  throw new ServiceError('EOS_SERVICE_FAILED', `no free port found in ${ATTEMPTS} attempts`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
