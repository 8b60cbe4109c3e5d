/** Runs the real pipeline as one process of the simulation, in an environment of virtual time. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PipelineEvents, SourceBatch, Transformed } from '@eos/core';
import { pipelineIn, type Environment } from '@eos/core/simulation';
import { expand, type Row } from './changelog.js';
import type { Incarnation } from './incarnation.js';
import type { RunInvariants } from './run-invariants.js';
import { simulatedSink, type Destination } from './sink.js';
import { simulatedSource } from './source.js';
import type { World } from './world.js';

const PIPELINE = 'simulation';

/** Starts the pipeline in `process`. What comes of it goes to `runs`, and then `onEnd` is called. */
export function startProcess(
  world: World,
  destination: Destination,
  process: Incarnation,
  runs: RunInvariants,
  onEnd: () => void,
): void {
  const { trigger, retry, stopTimeoutMs } = world.plan;
  world.trace(() => `${process.name} starts`);
  const pipeline = pipelineIn<Row, Row>(environmentOf(world, process), {
    id: PIPELINE,
    source: simulatedSource(world, process),
    transform: transformOf(world, process),
    sinks: { table: simulatedSink(world, destination, process) },
    trigger,
    retry,
    stopTimeoutMs,
  });
  const run = pipeline.run({ signal: process.stop.signal, signals: [] });
  void run
    .then(
      (result) => runs.ended(process, result),
      (error: unknown) => runs.failed(process, error),
    )
    .then(() => {
      world.trace(() => `${process.name} ends: ${process.end?.code ?? process.end?.reason ?? ''}`);
      process.isAlive = false;
      onEnd();
    });
}

/** Hands the events of all processes to `runs` until it is called back. */
export function listen(runs: RunInvariants): () => void {
  // The channels carry what PipelineEvents declares; one schedule runs at a time.
  const onCommit = (message: unknown) => runs.acknowledged(message as PipelineEvents['eos:commit']);
  const onSettle = (message: unknown) => runs.settled(message as PipelineEvents['eos:settle']);
  const onRegress = (message: unknown) => runs.regressed(message as PipelineEvents['eos:regress']);
  subscribe('eos:commit', onCommit);
  subscribe('eos:settle', onSettle);
  subscribe('eos:regress', onRegress);
  return () => {
    unsubscribe('eos:commit', onCommit);
    unsubscribe('eos:settle', onSettle);
    unsubscribe('eos:regress', onRegress);
  };
}

function environmentOf({ scheduler, random }: World, process: Incarnation): Environment {
  return {
    now: () => scheduler.now,
    after: (milliseconds, callback) => scheduler.after(milliseconds, callback, process),
    sleep: async (milliseconds, signal) => {
      process.retries++;
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        signal.addEventListener('abort', wake);
        scheduler.after(milliseconds, wake, process);
      });
    },
    random: () => random.next(),
  };
}

function transformOf(world: World, process: Incarnation) {
  return async (batch: SourceBatch<Row>): Promise<Transformed<Row>> => {
    if (world.plan.isTransformSlow) {
      await new Promise<void>((resolve) => {
        world.scheduler.after(world.random.integer(0, 5), resolve, process);
      });
    }
    const made = batch.rows.map((row) => expand(row));
    const rows = made.flat();
    const { ops } = batch;
    if (ops === undefined) return rows;
    return { rows, ops: Uint8Array.from(made.flatMap((of, index) => of.map(() => ops[index] ?? 0))) };
  };
}
