/** Positions of rows in a file: which of them are deleted. */
import { EosError } from '@eos/core';
import { Container } from './container.js';

const CONTAINER_ROWS = 65_536;

/**
 * A set of positions, from 0 up to 2^53.
 *
 * Memory: two bytes a position, and at most one bit for each row of a range of 65,536 that has any.
 */
export class RowSet {
  /** By the position divided by 65,536. */
  readonly #containers = new Map<number, Container>();
  #size = 0;
  #lastKey = -1;
  #last: Container | undefined;

  static of(positions: Iterable<number>): RowSet {
    const set = new RowSet();
    for (const position of positions) set.add(position);
    return set;
  }

  get size(): number {
    return this.#size;
  }

  /** False where it was there. */
  add(position: number): boolean {
    if (!Number.isSafeInteger(position) || position < 0)
      throw new EosError('EOS_RANGE', `${position} is no position of a row`, { details: { position } });
    const isNew = this.#at(Math.floor(position / CONTAINER_ROWS)).add(position % CONTAINER_ROWS);
    if (isNew) this.#size += 1;
    return isNew;
  }

  has(position: number): boolean {
    const key = Math.floor(position / CONTAINER_ROWS);
    const container = key === this.#lastKey ? this.#last : this.#containers.get(key);
    return container?.has(position % CONTAINER_ROWS) ?? false;
  }

  addAll(other: RowSet): void {
    for (const position of other.positions()) this.add(position);
  }

  /** Ascending. */
  *positions(): Generator<number> {
    for (const [key, container] of this.containers()) {
      for (const value of container.values()) yield key * CONTAINER_ROWS + value;
    }
  }

  /** Ascending, none empty. */
  containers(): readonly (readonly [number, Container])[] {
    return [...this.#containers].sort(([left], [right]) => left - right);
  }

  /** Takes a container of a bitmap that is read: its keys ascend. */
  put(key: number, container: Container): void {
    this.#containers.set(key, container);
    this.#size += container.size;
  }

  #at(key: number): Container {
    if (key === this.#lastKey && this.#last !== undefined) return this.#last;
    let container = this.#containers.get(key);
    if (container === undefined) {
      container = new Container();
      this.#containers.set(key, container);
    }
    this.#lastKey = key;
    this.#last = container;
    return container;
  }
}
