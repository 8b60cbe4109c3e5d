import { randomNumbers } from '@eos/testkit';

/** Random numbers that a seed repeats: the same on every machine. */
export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
}

export const MAX_SEED = 2 ** 32 - 1;

/** A seed for a run that was given none. */
export function randomSeed(): number {
  return Math.floor(Math.random() * (MAX_SEED + 1));
}

/** Of 32 bits each: good enough to choose where to strike. */
export function seededRandom(seed: number): Random {
  const next = randomNumbers(seed);
  return { below: (below) => Math.floor((next() / 2 ** 32) * below) };
}

/** One of `items`, which must not be empty. */
export function oneOf<Item>(random: Random, items: readonly [Item, ...Item[]]): Item {
  return items[random.below(items.length)] ?? items[0];
}

/** The items in another order. */
export function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, rank: random.below(2 ** 32) }))
    .sort((left, right) => left.rank - right.rank)
    .map(({ item }) => item);
}
