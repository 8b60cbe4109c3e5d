/** Rows that go, by the text of their line: what is added in the same transaction cancels them before anything is sent. */
import type { PartitionId } from '@eos/core';

/** Text that is kept; what is more is staged at the server. Bounds memory to some 10 MB. */
const KEPT_CHARACTERS = 4_194_304;
/** What an entry takes besides its text, about. */
const ENTRY_CHARACTERS = 64;

/** A row that goes. */
export interface Retraction {
  readonly line: string;
  /** How often. */
  readonly copies: number;
  /** Where the last of them came from: a number that stands for its partition, and the offset where it is known. */
  readonly place: number;
  readonly offset: bigint | undefined;
}

export interface Retractions {
  readonly isEmpty: boolean;
  readonly isFull: boolean;
  add(line: string, place: number, offset: bigint | undefined): void;
  /** Takes one copy back. False: none was to go. */
  cancel(line: string): boolean;
  /** Hands out what is there, and is empty. */
  take(): readonly Retraction[];
}

interface Pending extends Retraction {
  copies: number;
  place: number;
  offset: bigint | undefined;
}

export function retractions(): Retractions {
  let pending = new Map<string, Pending>();
  let characters = 0;
  return {
    get isEmpty() {
      return pending.size === 0;
    },
    get isFull() {
      return characters > KEPT_CHARACTERS;
    },
    add(line, place, offset) {
      const known = pending.get(line);
      if (known === undefined) {
        pending.set(line, { line, copies: 1, place, offset });
        characters += line.length + ENTRY_CHARACTERS;
      } else {
        known.copies += 1;
        known.place = place;
        known.offset = offset;
      }
    },
    cancel(line) {
      const known = pending.get(line);
      if (known === undefined) return false;
      if (known.copies > 1) known.copies -= 1;
      else {
        pending.delete(line);
        characters -= line.length + ENTRY_CHARACTERS;
      }
      return true;
    },
    take() {
      const taken = [...pending.values()];
      pending = new Map();
      characters = 0;
      return taken;
    },
  };
}

/** Numbers for the partitions of a transaction, which a line can carry. */
export interface Places {
  numberOf(partition: PartitionId): number;
  partitionOf(place: number): PartitionId | undefined;
}

export function places(): Places {
  const partitions: PartitionId[] = [];
  return {
    numberOf(partition) {
      const known = partitions.indexOf(partition);
      return known === -1 ? partitions.push(partition) - 1 : known;
    },
    partitionOf: (place) => partitions[place],
  };
}
