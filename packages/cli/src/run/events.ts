/** What a run tells, from core's channels, in one order and one shape. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PipelineEvents } from '@eos/core';

const NAMES = [
  'eos:claim',
  'eos:commit',
  'eos:reject',
  'eos:settle',
  'eos:fence',
  'eos:regress',
  'eos:retry',
] as const satisfies readonly (keyof PipelineEvents)[];

type Names = (typeof NAMES)[number];

/** One of the events, with its channel. */
export type RunEvent = {
  readonly [Name in Names]: { readonly name: Name; readonly message: PipelineEvents[Name] };
}[Names];

/** Calls `onEvent` with every event of this pipeline, until what is returned is called. */
export function listen(pipeline: string, onEvent: (event: RunEvent) => void): () => void {
  const listeners = NAMES.map((name): [string, (message: unknown) => void] => {
    const listener = (message: unknown) => {
      // What is published on a channel of core has the type that PipelineEvents gives it.
      const event = { name, message } as RunEvent;
      if (event.message.pipeline === pipeline) onEvent(event);
    };
    return [name, listener];
  });
  for (const [name, listener] of listeners) subscribe(name, listener);
  return () => {
    for (const [name, listener] of listeners) unsubscribe(name, listener);
  };
}
