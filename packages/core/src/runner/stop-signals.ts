/**
 * Signals of the process as a reason to stop: one listener of the process per signal, however many pipelines run in it.
 */
import { constants } from 'node:os';
import { EosError } from '../errors.js';

const waiting = new Map<NodeJS.Signals, Set<() => void>>();
const listeners = new Map<NodeJS.Signals, () => void>();

/**
 * Calls `stop` at the first of `signals`, until what is returned is called. A second signal has its usual effect.
 * @throws EOS_CONFIG for a signal that cannot be caught
 */
export function onStopSignals(signals: readonly NodeJS.Signals[], stop: () => void): () => void {
  for (const signal of signals) {
    if (signal in constants.signals && signal !== 'SIGKILL' && signal !== 'SIGSTOP') continue;
    throw new EosError('EOS_CONFIG', `signals: ${JSON.stringify(signal)} cannot be caught`, {
      details: { option: 'signals' },
    });
  }
  for (const signal of signals) add(signal, stop);
  return () => {
    for (const signal of signals) remove(signal, stop);
  };
}

function add(signal: NodeJS.Signals, stop: () => void): void {
  const stops = waiting.get(signal) ?? new Set();
  stops.add(stop);
  waiting.set(signal, stops);
  if (listeners.has(signal)) return;
  const listener = () => {
    const called = [...stops];
    for (const waitingStop of called) remove(signal, waitingStop);
    for (const waitingStop of called) waitingStop();
  };
  listeners.set(signal, listener);
  process.on(signal, listener);
}

function remove(signal: NodeJS.Signals, stop: () => void): void {
  const stops = waiting.get(signal);
  stops?.delete(stop);
  const listener = listeners.get(signal);
  if (listener === undefined || (stops?.size ?? 0) > 0) return;
  waiting.delete(signal);
  listeners.delete(signal);
  process.removeListener(signal, listener);
}
