/**
 * Trying again what passes: a coordinator that is loading, a transaction whose end is still being written. The pauses are measured: a
 * commit is written to all partitions within a few milliseconds, and a pause of 300 ms, as KafkaJS makes, costs small transactions a factor of 6.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaClientError } from './client-error.js';

export interface Retrying {
  /** After so long, the last failure is thrown. */
  readonly timeoutMs: number;
  /** Called before each further try. */
  readonly onRetry?: (failure: KafkaClientError) => void;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 1;
const FACTOR = 1.6;
const LONGEST_PAUSE_MS = 50;
/** A topic that is there is not known to a broker that has just started, for so long at most. */
const UNKNOWN_TOPIC_MS = 2_000;
const UNKNOWN_TOPIC: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
]);

/** Does `work` until it succeeds, fails for good, or no broker answers: to try that again is the caller's to decide. */
export async function retried<T>(
  { timeoutMs, onRetry, signal }: Retrying,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * FACTOR)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof KafkaClientError) || signal?.aborted === true) throw error;
      if (performance.now() + pause - start > Math.min(timeoutMs, passesWithin(error))) throw error;
      onRetry?.(error);
      await delay(pause);
    }
  }
}

/** How long the reason of a failure may last, in milliseconds. */
function passesWithin({ kind, error }: KafkaClientError): number {
  if (error !== undefined && UNKNOWN_TOPIC.has(error)) return UNKNOWN_TOPIC_MS;
  return kind === 'unavailable' && error !== undefined ? Infinity : 0;
}
