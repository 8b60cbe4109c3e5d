/** The port for encoders: what turns the columns of row groups into the bytes of a file. */
import type { LeafData } from '../columns/leaf-column.js';
import type { FileSchema } from '../schema/elements.js';
import type { ScalarType } from '../schema/field.js';
import type { BloomFilterOptions } from './bloom-filter.js';
import type { ColumnStatistics } from './bounds.js';
import type { Compression } from './codecs.js';

export interface ParquetEncoder {
  /** For messages. */
  readonly name: string;
  /**
   * Begins a file; writes nothing yet.
   * @throws EOS_CONFIG for a schema or an option that this encoder cannot serve
   */
  begin(options: EncoderOptions): FileEncoder;
  /**
   * A check of the values of a type, beyond that they are of it: it throws EOS_ROW for one that this encoder cannot hold. Never called
   * with null.
   */
  readonly check?: (type: ScalarType) => ((value: unknown) => void) | undefined;
}

export interface EncoderOptions {
  readonly schema: FileSchema;
  readonly compression: Compression;
  /** About how many bytes of values a page has, before compression. */
  readonly pageBytes: number;
  /** By the path of the leaf, its names joined by points. */
  readonly bloomFilters: ReadonlyMap<string, Required<BloomFilterOptions>>;
  /** Whether statistics are written into the file. */
  readonly statistics: boolean;
  /** Key-value metadata of the footer. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Appends to the file. The bytes are the callee's until it resolves, and nobody's after. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

export interface FileEncoder {
  /** Writes one row group. `columns` are those of the schema's leaves, and are used again when it has resolved. */
  rowGroup(rowCount: number, columns: readonly EncodableColumn[]): Promise<void>;
  /** Writes what ends the file. */
  finish(): Promise<void>;
}

export interface EncodableColumn {
  readonly data: LeafData;
  readonly statistics: ColumnStatistics;
}
