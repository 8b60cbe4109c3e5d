import { CRASH_POINTS, type CrashPoint, type OnCrashPoint } from './crash-points.js';

/** Where a writer shall stop: the first, second, … time that it reaches a point. */
export interface Stop {
  readonly point: CrashPoint;
  /** From 1. */
  readonly count: number;
}

/** The variable in which `spawnStoppable` tells a child where to stop: `commit:before#3`. */
export const STOP_VARIABLE = 'EOS_TESTKIT_STOP';

export function stopText({ point, count }: Stop): string {
  return `${point}#${count}`;
}

/**
 * Reads `point#count`.
 * @throws RangeError where it is none
 */
export function parseStop(text: string): Stop {
  const [name, digits] = text.split('#');
  const point = CRASH_POINTS.find((known) => known === name);
  const count = Number(digits);
  if (point === undefined || !Number.isInteger(count) || count < 1) {
    throw new RangeError(`${JSON.stringify(text)} is no stop such as "commit:before#3"`);
  }
  return { point, count };
}

/**
 * For the child: what to give to `withCrashPoints` in a process that was started by `spawnStoppable`. At the place that the
 * parent asked for it tells the parent and waits, for SIGKILL or for `resume`.
 */
export function stopWhereAsked(): OnCrashPoint {
  const text = process.env[STOP_VARIABLE];
  if (text === undefined || text === '') return () => undefined;
  const stop = parseStop(text);
  return (point, count) => (point === stop.point && count === stop.count ? standStill(stop) : undefined);
}

/** What a child sends when it stands where it was asked to. */
export interface StoppedMessage {
  readonly eos: 'stopped';
  readonly stop: string;
}

/** What a parent sends to let it go on. */
export const RESUME_MESSAGE = { eos: 'resume' } as const;

export function hasTag(message: unknown, tag: string): message is { readonly eos: string } {
  return typeof message === 'object' && message !== null && 'eos' in message && message.eos === tag;
}

async function standStill(stop: Stop): Promise<void> {
  await new Promise<void>((resolve) => {
    process.on('message', function onMessage(message) {
      if (!hasTag(message, RESUME_MESSAGE.eos)) return;
      process.off('message', onMessage);
      resolve();
    });
    const message: StoppedMessage = { eos: 'stopped', stop: stopText(stop) };
    process.send?.(message);
  });
}
