/** Virtual time: one queue of events, run one after the other, each until nothing is left to do at its instant. */

/** Whoever an event happens to. A dead actor's events never happen; those of one that is frozen happen when it wakes. */
export interface Actor {
  readonly isAlive: boolean;
  /** In milliseconds of virtual time. */
  readonly frozenUntil: number;
}

interface Event {
  time: number;
  readonly order: number;
  readonly actor: Actor | undefined;
  readonly happen: () => void;
  isCancelled: boolean;
}

export class Scheduler {
  /** Milliseconds since the start of the schedule. */
  now = 0;
  /** How many events have happened: the order in which things were, where times are equal. */
  step = 0;
  #order = 0;
  /** The latest first: the next one is taken from the end. */
  readonly #queue: Event[] = [];

  /** @param beforeActor is called before each event of an actor, which it may kill or freeze */
  constructor(private readonly beforeActor: (actor: Actor) => void) {}

  /** Schedules `happen` in `delay` milliseconds; returns what cancels it. */
  after(delay: number, happen: () => void, actor?: Actor): () => void {
    const event = { time: this.now + delay, order: this.#order++, actor, happen, isCancelled: false };
    this.#insert(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Lets the next event happen; false where there is none. */
  async next(): Promise<boolean> {
    const event = this.#queue.pop();
    if (event === undefined) return false;
    if (event.isCancelled || event.actor?.isAlive === false) return true;
    this.now = Math.max(this.now, event.time);
    if (event.actor !== undefined && !this.#isAwake(event, event.actor)) return true;
    this.step++;
    event.happen();
    await drained();
    return true;
  }

  #isAwake(event: Event, actor: Actor): boolean {
    this.beforeActor(actor);
    if (!actor.isAlive) return false;
    if (actor.frozenUntil <= this.now) return true;
    event.time = actor.frozenUntil;
    this.#insert(event);
    return false;
  }

  #insert(event: Event): void {
    let index = this.#queue.length;
    while (index > 0 && isBefore(this.#queue[index - 1], event)) index--;
    this.#queue.splice(index, 0, event);
  }
}

function isBefore(first: Event | undefined, second: Event): boolean {
  if (first === undefined) return false;
  return first.time === second.time ? first.order < second.order : first.time < second.time;
}

/**
 * Resolves when no promise can go on any more. Node runs a tick only after the queue of promise reactions is empty, and nothing in
 * a schedule waits for anything but promises and this queue.
 */
export async function drained(): Promise<void> {
  await new Promise<void>((resolve) => process.nextTick(resolve));
}
