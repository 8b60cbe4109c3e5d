/**
 * parquetjs-lite as the encoder, for those who use it already: several times slower than the default. Needs `npm i parquetjs-lite`.
 *
 * It writes no statistics and no Bloom filters, and has neither decimals nor nested columns; json and uuid only as text. Dates and
 * timestamps before 1970, integers beyond 2^53, NaN and -0, which it would change or choke on, are refused row by row (EOS_ROW).
 */
import { Writable } from 'node:stream';
import { EosError } from '@eos/core';
import parquetjs, { type Writer } from 'parquetjs-lite';
import type { EncodableColumn, EncoderOptions, FileEncoder, ParquetEncoder } from './encode/encoder.js';
import { fieldDefinitions, valueCheck, valueReader } from './parquetjs/fields.js';

export const parquetjsLite: ParquetEncoder = {
  name: 'parquetjs-lite',
  begin: (options) => new ParquetjsFileEncoder(options),
  check: valueCheck,
};

class ParquetjsFileEncoder implements FileEncoder {
  private readonly schema;
  private writer: Promise<Writer> | undefined;
  /** What a write of the stream threw: the stream itself would tell nobody. */
  private failure: { readonly error: unknown } | undefined;

  constructor(private readonly options: EncoderOptions) {
    this.schema = new parquetjs.ParquetSchema(fieldDefinitions(options));
  }

  async rowGroup(rowCount: number, columns: readonly EncodableColumn[]): Promise<void> {
    await this.unlessItFails(async () => {
      const writer = await this.open();
      // It ends a row group by itself, with the last of these rows.
      writer.setRowGroupSize(rowCount);
      const readers = columns.map(({ data }) => ({ name: data.leaf.path[0] ?? '', next: valueReader(data) }));
      for (let row = 0; row < rowCount; row++) {
        await writer.appendRow(Object.fromEntries(readers.map(({ name, next }) => [name, next()])));
      }
    });
  }

  async finish(): Promise<void> {
    await this.unlessItFails(async () => {
      const writer = await this.open();
      for (const [key, value] of Object.entries(this.options.metadata)) writer.setMetadata(key, value);
      await writer.close();
    });
  }

  private open(): Promise<Writer> {
    this.writer ??= parquetjs.ParquetWriter.openStream(this.schema, this.stream(), { useDataPageV2: false });
    return this.writer;
  }

  private stream(): Writable {
    const write = async (bytes: Uint8Array) => {
      try {
        await this.options.write(bytes);
      } catch (error) {
        this.failure ??= { error };
      }
    };
    return new Writable({
      // It goes on as if nothing had happened, and the failure is thrown when it has come back: a stream that failed is never written to
      // again by it, and some of its writes are awaited by nobody.
      write: (bytes: Buffer, _encoding, done) => void write(bytes).then(() => done()),
    });
  }

  /** It throws strings. */
  private async unlessItFails(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof Error) throw error;
      throw new EosError('EOS_ROW', `parquetjs-lite: ${String(error)}`, { cause: error });
    }
    if (this.failure !== undefined) throw this.failure.error;
  }
}
