/** What the program `children/kafka-copy.ts` is asked to do. */
export interface KafkaTask {
  readonly brokers: readonly string[];
  readonly from: string;
  readonly pipeline: string;
  /** A topic to copy to, or a table to upsert into. */
  readonly to: { readonly topic: string } | { readonly table: string; readonly url: string };
  readonly rowsPerCommit: number;
}
