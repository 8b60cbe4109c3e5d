/** How many rows go behind one savepoint, judged by the transactions before. */
export interface SegmentSize {
  readonly rows: number;
  /** A transaction had so many rows, and the server rejected so many of them. */
  learn(rows: number, rejected: number): void;
}

/** A savepoint and a COPY cost about as much as this many rows; so does trying half of a segment in vain. */
const COST_IN_ROWS = 80;
const LEAST = 64;
/** From here on a transaction is one segment. */
const MOST = 32_768;
/** The server keeps so many subtransactions of a transaction at hand: https://www.postgresql.org/docs/current/subxacts.html */
const SUBTRANSACTIONS = 48;

/**
 * A rejected row takes back what went in before it since the last savepoint, so that segments are short where rows are often
 * rejected, and a whole transaction where they never are.
 */
export function segmentSize(): SegmentSize {
  let rows = Infinity;
  return {
    get rows() {
      return rows;
    },
    learn(count, rejected) {
      if (rejected === 0) {
        rows = 2 * rows > MOST ? Infinity : 2 * rows;
        return;
      }
      const best = Math.sqrt((COST_IN_ROWS * count) / rejected);
      rows = Math.max(LEAST, Math.round(best), Math.ceil(count / SUBTRANSACTIONS));
    },
  };
}
