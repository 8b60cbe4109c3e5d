/** What goes wrong in any network: each fault waits until the worst is over, so that every one of them is met by writers at work. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@eos/simulation';
import type { ProxyFault, TcpProxy } from '@eos/testkit';

/** What every fault can get at. */
export interface NetworkStage {
  readonly random: Random;
  readonly proxy: TcpProxy;
}

export interface Fault<Stage extends NetworkStage> {
  readonly name: string;
  /** How often it comes, compared with the others. */
  readonly weight: number;
  /** False where there was nothing to strike. */
  strike(stage: Stage): Promise<boolean>;
}

/** How long a fault waits for a commit to strike. */
const COMMIT_MS = 3_000;

/** @param hasCommit tells the request that commits, and may tell its answer */
export function networkFaults(hasCommit: (chunk: Buffer) => boolean): readonly Fault<NetworkStage>[] {
  return [
    always('all connections reset', 6, async ({ proxy }) => proxy.cutAll()),
    {
      name: 'a connection reset',
      weight: 8,
      strike: async ({ proxy, random }) => {
        const { connections } = proxy;
        if (connections.length === 0) return false;
        random.pick(connections).cut();
        return true;
      },
    },
    always('network refused connections', 3, async ({ proxy, random }) => {
      proxy.refuse();
      proxy.cutAll();
      await delay(random.integer(100, 2_000));
      proxy.accept();
    }),
    always('network slow', 3, async ({ proxy, random }) => {
      proxy.setLatency(random.integer(5, 60));
      await delay(random.integer(500, 2_000));
      proxy.setLatency(0);
    }),
    onCommit('commit request lost', { on: 'request', do: 'cut', when: hasCommit }),
    onCommit('commit answer lost', {
      on: 'request',
      do: 'pass',
      when: hasCommit,
      next: { on: 'answer', do: 'cut' },
    }),
    {
      name: 'commit request delivered late',
      weight: 6,
      strike: async ({ proxy, random }) => {
        const fault = proxy.arm({ on: 'request', do: 'strand', when: hasCommit });
        const struck = await Promise.race([fault.struck, delay(COMMIT_MS)]);
        fault.disarm();
        if (struck === undefined) return false;
        await delay(random.integer(0, 1_500));
        await fault.release();
        return true;
      },
    },
  ];
}

/** One that always finds what to strike. */
export function always<Stage extends NetworkStage>(
  name: string,
  weight: number,
  work: (stage: Stage) => Promise<void>,
): Fault<Stage> {
  return {
    name,
    weight,
    strike: async (stage) => {
      await work(stage);
      return true;
    },
  };
}

function onCommit(name: string, fault: ProxyFault): Fault<NetworkStage> {
  return {
    name,
    weight: 6,
    strike: async ({ proxy }) => {
      const armed = proxy.arm(fault);
      await Promise.race([armed.struck, delay(COMMIT_MS)]);
      armed.disarm();
      return armed.hasStruck;
    },
  };
}

/** One of the faults, the frequent ones more often. */
export function pickFault<Stage extends NetworkStage>(
  random: Random,
  faults: readonly Fault<Stage>[],
): Fault<Stage> {
  return random.pick(faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault)));
}
