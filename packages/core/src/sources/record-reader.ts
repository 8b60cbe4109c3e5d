/** From a window of text to batches. */
import type { PartitionId } from '../identifiers.js';
import type { SourceIdentity } from '../positions.js';
import type { SourceBatch } from '../source.js';
import { formatError, Records, type Place, type RecordFormat, type RecordParser } from './records.js';
import type { TextWindow } from './text-window.js';

/** What is done with the bytes of the text as they are taken. */
export interface TextObserver {
  /** `buffer[from … to)` was taken. */
  taken(buffer: Buffer, from: number, to: number): void;
  /** The identity of the text for a batch that ends here: asked for now, computed when it is called. */
  identity(next: number): () => Promise<SourceIdentity>;
}

/** Reads one text, batch by batch. A batch holds records of one chunk only, so that its size is bounded too. */
export class RecordReader<Row> {
  readonly #records: Records<Row>;

  constructor(
    readonly text: TextWindow,
    readonly parser: RecordParser<Row>,
    format: RecordFormat<Row>,
    readonly place: Place,
    readonly observer: TextObserver,
  ) {
    this.#records = new Records(format.hasOps);
  }

  /**
   * At most `limit` rows; undefined at the end of the text.
   * @throws EOS_SOURCE_FORMAT
   */
  async read(limit: number): Promise<SourceBatch<Row> | undefined> {
    const { text, parser } = this;
    const records = this.#records;
    for (;;) {
      records.reset(text.start);
      parser.parse(text, limit, records);
      text.checkText(records);
      if (records.count > 0) {
        this.#checkLengths();
        return this.#batch();
      }
      this.#take(records.next);
      if (text.isEnd) return undefined;
      await text.more();
    }
  }

  #batch(): SourceBatch<Row> {
    const { text, observer } = this;
    const records = this.#records;
    const { rows, next: end } = records;
    const bytes = end - text.start;
    const offsets = records.offsets(text.base);
    const ops = records.ops();
    this.#take(end);
    const next = text.offsetOf(end);
    const identity = observer.identity(next);
    const partition: PartitionId = this.place.partition;
    return {
      rows,
      ...(ops === undefined ? {} : { ops }),
      partition,
      offsets,
      next: BigInt(next),
      bytes,
      identity,
    };
  }

  #take(to: number): void {
    this.observer.taken(this.text.buffer, this.text.start, to);
    this.text.start = to;
  }

  /** A chunk may hold a record whole that is larger than allowed. */
  #checkLengths(): void {
    const { text } = this;
    const records = this.#records;
    const { maxRecordBytes } = text.options;
    if (records.next - text.start <= maxRecordBytes) return;
    for (let index = 0; index < records.count; index++) {
      const start = records.start(index);
      const end = index + 1 < records.count ? records.start(index + 1) : records.next;
      if (end - start <= maxRecordBytes) continue;
      const place = { ...this.place, offset: text.offsetOf(start) };
      throw formatError(place, `a record is larger than maxRecordBytes (${maxRecordBytes})`, {
        expected: maxRecordBytes,
      });
    }
  }
}
