import { BatchBuilder } from './batch-builder.js';
import { readBatches } from './batch-reader.js';

/** The records of a finished batch in two, for a topic that takes less at once. The batch has at least two records. */
export function splitBatch(bytes: Buffer): BatchBuilder[] {
  const [batch] = readBatches(bytes);
  if (batch === undefined) return [];
  const { records } = batch;
  const half = records.count >> 1;
  return [
    [0, half],
    [half, records.count],
  ].map(([start = 0, end = 0]) => {
    const builder = new BatchBuilder((bytes.length >> 1) + 1_024);
    for (let index = start; index < end; index++)
      builder.append(records, index, records.timestamps[index] ?? 0);
    return builder;
  });
}
