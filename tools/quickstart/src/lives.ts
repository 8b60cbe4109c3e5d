/** The lives of the writers: each is started, killed where the plan says, and followed by the next, until one reaches the end. */
import {
  spawnStoppable,
  type ArmedFault,
  type ProxyFault,
  type StoppableChild,
  type TcpProxy,
} from '@eos/testkit';
import { isAtProxy, type PlannedKill } from './kill-plan.js';
import { isNews, TASK_VARIABLE, type WriterNews, type WriterTask } from './messages.js';
import { LONG_COMMIT_ROWS, type CommitRows, type Table } from './tables.js';

export interface LivesOptions {
  /** The built program of the writer. */
  readonly writer: URL;
  readonly task: Omit<WriterTask, 'stopDuring'>;
  /** Lies between the writers and the server. */
  readonly proxy: TcpProxy;
  readonly plan: readonly PlannedKill[];
  readonly onNews: (news: WriterNews) => void;
  /** Called when a writer stands inside a write, before it is killed there. */
  readonly onWrite: (kill: PlannedKill) => Promise<void>;
  /** Called when a writer is gone. */
  readonly onKill: (kill: PlannedKill) => void;
  readonly signal: AbortSignal;
}

/** A writer without news for so long hangs. */
const PATIENCE_MS = 30_000;

/**
 * Runs one writer after the other.
 * @throws where a writer ends by itself, hangs, or a kill of the plan could not be carried out
 */
export async function runLives(options: LivesOptions): Promise<void> {
  const lives = new Lives(options);
  for (const kill of options.plan) await lives.liveUntil(kill);
  await lives.liveToTheEnd();
}

class Lives {
  /** Requests that the network still holds, though who sent them is dead. */
  readonly #late = new Map<Table, ArmedFault[]>();
  readonly #delivered: Promise<void>[] = [];

  constructor(private readonly options: LivesOptions) {}

  async liveUntil(kill: PlannedKill): Promise<void> {
    await this.#live(kill, async (child) => {
      await child.stopped;
      await this.#strike(kill, child);
      const { signal, output } = await child.ended;
      if (signal !== 'SIGKILL') throw new Error(`the writer was to be killed, but ended before:\n${output}`);
      this.options.onKill(kill);
    });
  }

  async liveToTheEnd(): Promise<void> {
    await this.#live(undefined, async (child) => {
      const { code, signal, output } = await child.ended;
      if (code !== 0)
        throw new Error(`the last writer ended by ${signal ?? `code ${String(code)}`}:\n${output}`);
    });
    await Promise.all(this.#delivered);
  }

  async #live(
    kill: PlannedKill | undefined,
    follow: (child: StoppableChild) => Promise<void>,
  ): Promise<void> {
    const { writer, task, signal, onNews } = this.options;
    signal.throwIfAborted();
    const child = spawnStoppable({
      file: writer,
      environment: {
        [TASK_VARIABLE]: JSON.stringify({
          ...task,
          stopDuring: kill?.table,
          ...(kill === undefined ? {} : { commitRows: commitRowsUntil(kill, task.commitRows) }),
        } satisfies WriterTask),
      },
      ...(kill === undefined ? {} : { stopAt: { point: kill.point, count: countOf(kill, task.commitRows) } }),
      onMessage: (message) => {
        watch.refresh();
        if (!isNews(message)) return;
        if (message.news === 'claim') this.#deliverLate(message.table);
        onNews(message);
      },
    });
    const watch = patience();
    const end = () => void child.kill();
    signal.addEventListener('abort', end);
    try {
      await Promise.race([follow(child), watch.isOver]);
    } catch (error) {
      signal.throwIfAborted();
      if (error !== watch.error) throw error;
      await child.kill();
      throw new Error(`${watch.error.message}:\n${(await child.ended).output}`, { cause: error });
    } finally {
      watch.stop();
      signal.removeEventListener('abort', end);
      await child.kill();
    }
  }

  /** Kills the writer, which stands at the point of the plan. */
  async #strike(kill: PlannedKill, child: StoppableChild): Promise<void> {
    const { place, table } = kill;
    if (!isAtProxy(kill)) {
      if (place === 'write') await this.options.onWrite(kill);
      await child.kill();
      return;
    }
    const fault = this.options.proxy.arm(place === 'landed' ? ANSWER_HELD : REQUEST_HELD);
    child.resume();
    await Promise.race([fault.struck, child.ended]);
    fault.disarm();
    await child.kill();
    if (!fault.hasStruck)
      throw new Error(`the writer ended before its commit:\n${(await child.ended).output}`);
    const connection = await fault.struck;
    if (place === 'late') this.#late.set(table, [...(this.#late.get(table) ?? []), fault]);
    else connection.cut();
  }

  /** The next writer has made its claim, and only now do the requests of the dead arrive. */
  #deliverLate(table: Table): void {
    for (const fault of this.#late.get(table) ?? []) this.#delivered.push(deliver(fault));
    this.#late.delete(table);
  }
}

/** A writer that is to die inside a write makes long transactions of that table. */
function commitRowsUntil({ place, table }: PlannedKill, usual: CommitRows): CommitRows {
  return place === 'write' ? { ...usual, [table]: LONG_COMMIT_ROWS } : usual;
}

/** The plan counts usual transactions: of long ones, as many as fit before the struck one. */
function countOf({ place, table, count }: PlannedKill, usual: CommitRows): number {
  return place === 'write' ? 1 + Math.floor(((count - 1) * usual[table]) / LONG_COMMIT_ROWS) : count;
}

/** Resolves when the server has answered, whatever it said. */
async function deliver(fault: ArmedFault): Promise<void> {
  const connection = await fault.struck;
  await fault.release();
  connection.cut();
}

/** The command, and the tag of its answer once it was carried out. No row of the data holds the word. */
const hasCommit = (chunk: Buffer) => chunk.includes('COMMIT');

const REQUEST_HELD: ProxyFault = { on: 'request', do: 'hold', when: hasCommit };

const ANSWER_HELD: ProxyFault = {
  on: 'request',
  do: 'pass',
  when: hasCommit,
  next: { on: 'answer', do: 'hold', when: hasCommit },
};

interface Patience {
  /** Rejects with `error` when there was no news for too long. */
  readonly isOver: Promise<never>;
  readonly error: Error;
  refresh(): void;
  stop(): void;
}

function patience(): Patience {
  const error = new Error(`the writer hangs: no commit for ${PATIENCE_MS / 1000} s`);
  let timer: NodeJS.Timeout | undefined;
  const isOver = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error), PATIENCE_MS);
  });
  return { isOver, error, refresh: () => void timer?.refresh(), stop: () => clearTimeout(timer) };
}
