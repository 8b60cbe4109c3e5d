/** When a transaction is committed: whichever comes first. */
export interface Trigger {
  /** Source rows. Default 10,000. */
  readonly rows: number;
  /** Bytes of source rows, as the source counts them. Default 8 MiB. */
  readonly bytes: number;
  /** Milliseconds since the transaction's first row. Default 1,000. */
  readonly intervalMs: number;
}

export const DEFAULT_TRIGGER: Trigger = { rows: 10_000, bytes: 8 * 1024 * 1024, intervalMs: 1_000 };
