/** Whether the keys of the next transaction are likely to be new, judged by the ones before it. */
export interface Guess {
  readonly isNew: () => boolean;
  readonly wasRight: () => void;
  readonly wasWrong: () => void;
}

const LONGEST_PAUSE = 64;

/**
 * Streams differ: one brings new keys only, another the same keys again and again. A wrong guess costs the rows that went in
 * before the first key that was there, so after each the guess pauses for twice as many transactions.
 */
export function guessNewKeys(): Guess {
  let pause = 0;
  let left = 0;
  return {
    isNew() {
      if (left === 0) return true;
      left -= 1;
      return false;
    },
    wasRight() {
      pause = 0;
    },
    wasWrong() {
      pause = Math.min(LONGEST_PAUSE, pause === 0 ? 4 : pause * 2);
      left = pause;
    },
  };
}
