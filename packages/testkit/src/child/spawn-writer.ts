import { spawnStoppable, type StoppableChild } from '../crash/stoppable-child.js';
import { hasTag, type Stop } from '../crash/stops.js';
import type { ChildConnector } from '../conformance/destination.js';
import type { WriterRequest } from './writer-request.js';
import type { WriterResult, WriterScript } from './writer-script.js';

export interface WriterOptions extends ChildConnector {
  readonly script: WriterScript;
  /** Where to stop. */
  readonly stopAt?: Stop | undefined;
  /** Options of Node, such as `--max-old-space-size=64`. */
  readonly nodeOptions?: readonly string[];
}

export interface Writer extends StoppableChild {
  /** What the script came to. Rejects with the child's error, or if it was killed. */
  readonly result: Promise<WriterResult>;
}

/** Children run the built files: of this package too, where it is itself run from its sources. */
const MAIN = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/child/main.js' : './main.js',
  import.meta.url,
);

/** Runs a script against an author's connector, in a process that can be killed or frozen exactly where it stands. */
export function spawnWriter(options: WriterOptions): Writer {
  const { module, options: connectorOptions, script, stopAt, nodeOptions = [] } = options;
  const request: WriterRequest = { module: module.href, options: connectorOptions, script };
  let result: WriterResult | undefined;
  let failure: string | undefined;
  const child = spawnStoppable({
    file: MAIN,
    args: [JSON.stringify(request)],
    nodeOptions,
    ...(stopAt === undefined ? {} : { stopAt }),
    onMessage: (message) => {
      if (isResult(message)) result = message.result;
      if (isFailure(message)) failure = message.message;
    },
  });
  const ended = child.ended.then(({ code, signal, output }) => {
    if (result !== undefined) return result;
    throw new Error(
      failure ?? `the writer ended without a result (${signal ?? `code ${String(code)}`}):\n${output}`,
    );
  });
  ended.catch(() => undefined);
  return { ...child, result: ended };
}

function isResult(message: unknown): message is { readonly result: WriterResult } {
  return hasTag(message, 'result');
}

function isFailure(message: unknown): message is { readonly message: string } {
  return hasTag(message, 'failure');
}
