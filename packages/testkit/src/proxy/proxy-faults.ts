import type { CommitFault, CommitFaults, Outage } from '../conformance/destination.js';
import type { ArmedFault, ProxyFault } from './faults.js';
import type { TcpProxy } from './tcp-proxy.js';

export interface ProxyFaultsOptions {
  /**
   * Tells the request that commits, where other requests may come before it: on a connection of another client, or because a
   * commit takes more than one. Default: the first request after `arm`.
   */
  readonly isCommit?: (chunk: Buffer) => boolean;
}

/** Lost and late answers of any destination that is reached by TCP, without TLS, through a proxy. */
export function proxyFaults(proxy: TcpProxy, { isCommit }: ProxyFaultsOptions = {}): CommitFaults {
  const stranded: ArmedFault[] = [];
  const request = { on: 'request', ...(isCommit === undefined ? {} : { when: isCommit }) } as const;
  return {
    arm: (fault) => {
      const struck = proxy.arm(faultOf(fault, request));
      if (fault === 'request-late') stranded.push(struck);
    },
    release: async () => {
      await Promise.all(stranded.splice(0).map((fault) => fault.release()));
    },
  };
}

function faultOf(fault: CommitFault, request: Pick<ProxyFault, 'on' | 'when'>): ProxyFault {
  switch (fault) {
    case 'answer-lost':
      return { ...request, do: 'pass', next: { on: 'answer', do: 'cut' } };
    case 'request-lost':
      return { ...request, do: 'cut' };
    case 'request-late':
      return { ...request, do: 'strand' };
  }
}

/** A destination that cannot be reached through the proxy any more. */
export function proxyOutage(proxy: TcpProxy): Outage {
  return {
    stop: () => {
      proxy.refuse();
      proxy.cutAll();
    },
    start: () => proxy.accept(),
  };
}
