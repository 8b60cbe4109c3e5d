/** The thread behind `openDistance`. */
import { parentPort, workerData } from 'node:worker_threads';
import { tcpProxy, type TcpProxyOptions } from '@eos/testkit';

export type ProxyRequest = 'statistics' | { readonly latencyMs: number };

if (parentPort === null) throw new Error('this module is a thread');
const port = parentPort;
// Both ends of the channel belong to this package.
const proxy = await tcpProxy(workerData as TcpProxyOptions);
port.on('message', (request: ProxyRequest) => {
  if (request === 'statistics') port.postMessage(proxy.statistics());
  else proxy.setLatency(request.latencyMs);
});
port.postMessage(proxy.port);
