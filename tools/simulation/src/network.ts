/** The way between a process and the destination: it delays, drops, repeats, answers or not. */
import { CALM, PATIENCE } from './plan.js';
import type { Actor } from './scheduler.js';
import type { World } from './world.js';

/** How a request came to the destination. */
export interface Delivery {
  /** The scheduler's step at which it was sent. */
  readonly sentAt: number;
  /** Whether the sender is alive and still waits for the answer. */
  readonly isAwaited: boolean;
}

/** One atomic step at the destination; what it throws is its answer. */
export type Step<Answer> = (delivery: Delivery) => Answer;

/** No answer came. Whatever was sent may have been done, or may yet be. */
export class NoAnswer extends Error {}

/** The request had certainly no effect. */
export class NoEffect extends Error {}

/** What the network does with one request. */
interface Fate {
  readonly isRefused: boolean;
  readonly isRejected: boolean;
  /** Milliseconds until it arrives, once for each time that it does. */
  readonly arrivals: readonly number[];
  /** Milliseconds that the answer takes; undefined where it is lost. */
  readonly answer: number | undefined;
  /** Milliseconds until the connection breaks. */
  readonly cut: number | undefined;
}

/** What a client holds open. When it ends, whoever waits on it is told so; what was sent may arrive all the same. */
export class Connection {
  #isClosed = false;
  readonly #waiting = new Set<(reason: Error) => void>();

  get isClosed(): boolean {
    return this.#isClosed;
  }

  wait(onClosed: (reason: Error) => void): () => void {
    this.#waiting.add(onClosed);
    return () => this.#waiting.delete(onClosed);
  }

  close(reason: string): void {
    this.#isClosed = true;
    for (const onClosed of this.#waiting) onClosed(new NoAnswer(reason));
    this.#waiting.clear();
  }
}

export class Network {
  constructor(private readonly world: World) {}

  /**
   * Sends a request and waits for its answer.
   * @throws what the step threw; {@link NoAnswer}; {@link NoEffect}
   */
  async send<Answer>(
    actor: Actor,
    connection: Connection,
    name: string,
    step: Step<Answer>,
  ): Promise<Answer> {
    const { scheduler } = this.world;
    if (connection.isClosed) throw new NoEffect('the connection is closed');
    const fate = this.#fate(name);
    const sentAt = scheduler.step;
    return await new Promise<Answer>((resolve, reject) => {
      let isAwaited = true;
      const settle = (act: () => void) => {
        if (!isAwaited) return;
        isAwaited = false;
        forget();
        act();
      };
      const fail = (error: Error) => settle(() => reject(error));
      const forget = connection.wait(fail);
      const later = (delay: number, act: () => void) => scheduler.after(delay, () => settle(act), actor);

      if (fate.cut !== undefined) {
        scheduler.after(fate.cut, () => connection.close('the connection was reset'), actor);
      }
      if (fate.isRefused) {
        this.world.trace(() => `${name}: refused`);
        later(1, () => reject(new NoEffect('connection refused')));
        return;
      }
      fate.arrivals.forEach((delay, index) => {
        scheduler.after(delay, () => {
          this.world.trace(
            () =>
              `${name} arrives${index > 0 ? ' again' : ''}${isAwaited && actor.isAlive ? '' : ', not awaited'}`,
          );
          const act = fate.isRejected
            ? () => reject(new NoEffect('the destination gave up'))
            : answerOf(
                () => step({ sentAt, isAwaited: index === 0 && isAwaited && actor.isAlive }),
                resolve,
                reject,
              );
          if (index === 0 && fate.answer !== undefined) later(fate.answer, act);
        });
      });
      if ((fate.arrivals[0] ?? Infinity) + (fate.answer ?? Infinity) > PATIENCE) {
        later(PATIENCE, () => reject(new NoAnswer(`no answer to ${name}`)));
      }
    });
  }

  #fate(name: string): Fate {
    const { random, plan, scheduler } = this.world;
    const latency = () => random.integer(1, 6);
    const calm = {
      isRefused: false,
      isRejected: false,
      arrivals: [latency()],
      answer: latency(),
      cut: undefined,
    };
    if (!this.world.isStormy()) return calm;
    const isDown = plan.outages.some(({ from, to }) => from <= scheduler.now && scheduler.now < to);
    if (isDown) this.world.note('outage');
    if (isDown) return { ...calm, isRefused: random.chance(0.5), arrivals: [] };
    const faults = plan.network;
    // The steps that the law is about fail more often than the rows' way there.
    const weight = name.startsWith('write') || name.startsWith('begin') ? 0.3 : 1;
    const happens = (rate: number) => rate > 0 && random.chance(rate * weight);
    const late = () => random.integer(PATIENCE, CALM / 2);
    const arrival = happens(faults.requestLate) ? late() : latency();
    const arrivals = happens(faults.requestLost) ? [] : [arrival];
    if (happens(faults.duplicated)) arrivals.push(arrival + (random.chance(0.5) ? latency() : late()));
    return {
      isRefused: happens(faults.refused),
      isRejected: happens(faults.rejected),
      arrivals,
      answer: happens(faults.answerLost) ? undefined : happens(faults.answerLate) ? late() : latency(),
      cut: happens(faults.cut) ? latency() : undefined,
    };
  }
}

function answerOf<Answer>(
  step: () => Answer,
  resolve: (answer: Answer) => void,
  reject: (error: Error) => void,
): () => void {
  try {
    const answer = step();
    return () => resolve(answer);
  } catch (error) {
    // Anything that is no error at all would be a fault of the simulation.
    if (!(error instanceof Error)) throw error;
    return () => reject(error);
  }
}
