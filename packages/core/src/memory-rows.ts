/** The table of the in-memory destination: rows by their text (or key), as a multiset. */
import { isRetraction, type ChangeBatch } from './changes.js';
import type { ChangelogMode } from './changelog.js';
import { EosError } from './errors.js';
import type { PartitionId } from './identifiers.js';
import { keyTextOf, rowText } from './row-text.js';

export class MemoryRows<Row extends object> {
  #copies = new Map<string, readonly Row[]>();
  readonly #textOf: (row: Row) => string;
  #appended = 0;

  constructor(
    readonly changelog: ChangelogMode,
    readonly key: readonly string[] = [],
  ) {
    // Nothing is ever looked up in append mode: each row is by itself.
    const ordinal = () => String(this.#appended++);
    this.#textOf = { append: ordinal, upsert: keyTextOf(key), retract: rowText }[changelog];
  }

  /** All or nothing: a row that cannot be applied throws EOS_ROW and leaves everything as it was. */
  apply(batches: readonly ChangeBatch<Row>[]): void {
    const changed = new Map<string, Row[]>();
    for (const { rows, ops, partition } of batches) {
      rows.forEach((row, index) => {
        const text = this.#textOf(row);
        const copies = changed.get(text) ?? [...(this.#copies.get(text) ?? [])];
        this.#change(copies, row, isRetraction(ops?.[index] ?? 0), partition);
        changed.set(text, copies);
      });
    }
    for (const [text, copies] of changed) {
      if (copies.length === 0) this.#copies.delete(text);
      else this.#copies.set(text, copies);
    }
  }

  all(): Row[] {
    return [...this.#copies.values()].flat();
  }

  save(): () => void {
    const copies = [...this.#copies];
    return () => {
      this.#copies = new Map(copies);
    };
  }

  #change(copies: Row[], row: Row, isTaken: boolean, partition: PartitionId): void {
    if (this.changelog === 'upsert') copies.length = 0;
    else if (isTaken && (copies.length === 0 || this.changelog === 'append')) {
      const message = `a row of partition ${partition} is taken back that is not there`;
      throw new EosError('EOS_ROW', message, { details: { partition } });
    }
    if (isTaken) copies.pop();
    else copies.push(row);
  }
}
