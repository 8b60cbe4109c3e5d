/**
 * The encoder that is used unless another one is given. Pages are made here, from columns that hold values as the file stores them;
 * the footer, page headers and the form of Bloom filters are
 * hyparquet-writer's.
 */
import { ByteWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { ColumnChunk, Encoding, RowGroup, Statistics } from 'hyparquet';
import type { LeafData } from '../columns/leaf-column.js';
import { bloomFilter } from './bloom-filter.js';
import type { Leaf } from '../schema/elements.js';
import type { ColumnStatistics, StoredValue } from './bounds.js';
import { codecOf, type Codec } from './codecs.js';
import type { EncodableColumn, EncoderOptions, FileEncoder, ParquetEncoder } from './encoder.js';
import { pageHeader, pagesOf, type Page } from './pages.js';

export const defaultEncoder: ParquetEncoder = {
  name: 'hyparquet-writer',
  begin: (options) => new DefaultFileEncoder(options),
};

const MAGIC = Buffer.from('PAR1');
const CREATED_BY = 'eos-parquet version 0.1.0 (build hyparquet-writer 0.17.0)';

class DefaultFileEncoder implements FileEncoder {
  private readonly codec: Codec;
  private readonly rowGroups: RowGroup[] = [];
  private offset = 0;
  private rowCount = 0;

  constructor(private readonly options: EncoderOptions) {
    this.codec = codecOf(options.compression);
  }

  async rowGroup(rowCount: number, columns: readonly EncodableColumn[]): Promise<void> {
    const start = await this.begin();
    const chunks: ColumnChunk[] = [];
    let uncompressed = 0;
    for (const column of columns) {
      const { chunk, uncompressedBytes } = await this.chunk(column);
      chunks.push(chunk);
      uncompressed += uncompressedBytes;
    }
    const end = this.offset;
    // Behind each row group, so that memory never holds those of the whole file.
    for (const [at, column] of columns.entries()) await this.filter(column.data, chunks[at]);
    this.rowCount += rowCount;
    this.rowGroups.push({
      columns: chunks,
      total_byte_size: BigInt(uncompressed),
      num_rows: BigInt(rowCount),
      file_offset: BigInt(start),
      total_compressed_size: BigInt(end - start),
    });
  }

  async finish(): Promise<void> {
    await this.begin();
    const writer = new ByteWriter();
    const metadata = Object.entries(this.options.metadata).map(([key, value]) => ({ key, value }));
    writeMetadata(
      writer,
      {
        version: 1,
        created_by: CREATED_BY,
        schema: [...this.options.schema.elements],
        num_rows: BigInt(this.rowCount),
        row_groups: this.rowGroups,
        metadata_length: 0,
        ...(metadata.length === 0 ? {} : { key_value_metadata: metadata }),
      },
      Infinity,
    );
    writer.appendBytes(MAGIC);
    await this.append(writer.getBytes());
  }

  private async begin(): Promise<number> {
    if (this.offset === 0) await this.append(MAGIC);
    return this.offset;
  }

  private async append(bytes: Uint8Array): Promise<void> {
    this.offset += bytes.length;
    await this.options.write(bytes);
  }

  /** A column of a row group is written at once, as its pages behind one another. */
  private async chunk({
    data,
    statistics,
  }: EncodableColumn): Promise<{ chunk: ColumnChunk; uncompressedBytes: number }> {
    const { dictionary, data: pages } = pagesOf(data, this.options.pageBytes);
    const start = this.offset;
    const [head, ...body] = await Promise.all([
      dictionary === undefined ? undefined : this.page('DICTIONARY_PAGE', dictionary),
      ...Array.from(pages, (page) => this.page('DATA_PAGE', page)),
    ]);
    const all = head === undefined ? body : [head, ...body];
    const bytes = Buffer.concat(all.flatMap(({ parts }) => parts));
    await this.append(bytes);
    const uncompressedBytes = all.reduce((sum, { uncompressedBytes }) => sum + uncompressedBytes, 0);
    const encodings: Encoding[] = head === undefined ? ['PLAIN', 'RLE'] : ['PLAIN', 'RLE', 'RLE_DICTIONARY'];
    const headBytes = head?.parts.reduce((sum, part) => sum + part.length, 0) ?? 0;
    const chunk: ColumnChunk = {
      file_offset: BigInt(start),
      meta_data: {
        type: data.leaf.element.type ?? 'BYTE_ARRAY',
        encodings,
        path_in_schema: [...data.leaf.path],
        codec: this.codec.codec,
        num_values: BigInt(data.entries),
        total_uncompressed_size: BigInt(uncompressedBytes),
        total_compressed_size: BigInt(bytes.length),
        data_page_offset: BigInt(start + headBytes),
        ...(head === undefined ? {} : { dictionary_page_offset: BigInt(start) }),
        ...(this.options.statistics ? { statistics: footerStatistics(statistics, data.leaf) } : {}),
      },
    };
    return { chunk, uncompressedBytes };
  }

  private async page(
    kind: 'DICTIONARY_PAGE' | 'DATA_PAGE',
    page: Page,
  ): Promise<{ parts: readonly Uint8Array[]; uncompressedBytes: number }> {
    const compressed = await this.codec.compress(page.body);
    const header = pageHeader(kind, page, compressed);
    return { parts: [header, compressed], uncompressedBytes: header.length + page.body.length };
  }

  private async filter(data: LeafData, chunk: ColumnChunk | undefined): Promise<void> {
    const options = this.options.bloomFilters.get(data.leaf.path.join('.'));
    const bytes = options === undefined ? undefined : bloomFilter(data, options);
    if (bytes === undefined || chunk?.meta_data === undefined) return;
    chunk.meta_data.bloom_filter_offset = BigInt(this.offset);
    chunk.meta_data.bloom_filter_length = bytes.length;
    await this.append(bytes);
  }
}

function footerStatistics({ nulls, bounds }: ColumnStatistics, { type }: Leaf): Statistics {
  if (bounds === undefined) return { null_count: BigInt(nulls) };
  // hyparquet-writer takes a number for a decimal itself, and scales it: only a bigint is what is stored.
  const asStored = (value: StoredValue) =>
    type.kind === 'decimal' && typeof value === 'number' ? BigInt(value) : value;
  return {
    null_count: BigInt(nulls),
    min_value: asStored(bounds.min),
    max_value: asStored(bounds.max),
    // Absent means exact.
    ...(bounds.isMinExact ? {} : { is_min_value_exact: false }),
    ...(bounds.isMaxExact ? {} : { is_max_value_exact: false }),
  };
}
