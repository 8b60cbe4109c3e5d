/** The parent's side of writers in processes of their own. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { builtModule } from './built-module.js';
import type { ChildMessage, ChildTask } from './children/protocol.js';

type MessageOf<Type extends ChildMessage['type']> = Extract<ChildMessage, { type: Type }>;

export interface WriterProcess {
  /** Resolves at the next message of this kind. @throws where the process ends before */
  next<Type extends ChildMessage['type']>(type: Type): Promise<MessageOf<Type>>;
  /** Ends it as a crash would, and waits until it is gone. */
  kill(): Promise<void>;
  /** When it is gone. */
  readonly ended: Promise<unknown>;
}

export function startWriter(task: ChildTask): WriterProcess {
  return startChild('children/writer.js', task);
}

/**
 * @param module below `dist`: gets the task as JSON on its command line, and says what `ChildMessage` lists
 * @param nodeOptions such as `--cpu-prof`
 */
export function startChild(module: string, task: object, nodeOptions: readonly string[] = []): WriterProcess {
  const child = fork(builtModule(module), [JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...nodeOptions],
  });
  const ended = once(child, 'exit');
  return {
    ended,
    next: (type) => nextMessage(child, type),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function nextMessage<Type extends ChildMessage['type']>(
  child: ChildProcess,
  type: Type,
): Promise<MessageOf<Type>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: ChildMessage) => {
      if (!isOf(message, type)) return;
      stop();
      resolve(message);
    };
    const onExit = (code: number | null) => {
      stop();
      reject(new Error(`the writing process ended (${String(code)}) before it said ${type}`));
    };
    const stop = () => {
      child.off('message', onMessage);
      child.off('exit', onExit);
    };
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}

function isOf<Type extends ChildMessage['type']>(
  message: ChildMessage,
  type: Type,
): message is MessageOf<Type> {
  return message.type === type;
}
