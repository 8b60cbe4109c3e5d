import type { ByteSink } from './compression.js';
import { compressed } from './compression.js';
import { rangeCollector } from './column-ranges.js';
import type { RowSink } from './file-writer.js';
import { csvEncoder, ndjsonEncoder } from './row-text.js';
import type { FileSettings } from './settings.js';

/** Rows as text, compressed where asked for. Memory: a block of text and what the compressor holds. */
export function textRows({ schema, format, compression, key }: FileSettings, target: ByteSink): RowSink {
  const { head, block } = format === 'csv' ? csvEncoder(schema, key) : ndjsonEncoder(schema, key);
  const bytes = compressed(compression, (chunk) => target.write(chunk));
  const ranges = rangeCollector(schema);
  let isStarted = false;
  return {
    bytesHeld: 0,
    async write(batch, start, end) {
      if (!isStarted && head !== '') await bytes.write(Buffer.from(head));
      isStarted = true;
      for (let from = start; from < end;) {
        const { text, next } = block(batch, from, end);
        ranges.add(batch, from, next);
        await bytes.write(Buffer.from(text));
        from = next;
      }
    },
    async end() {
      await bytes.end();
      return ranges.ranges();
    },
  };
}
