import { EosError } from '@eos/core';
import { checkBloomOptions, type BloomFilterOptions } from '../encode/bloom-filter.js';
import { codecOf, type Compression } from '../encode/codecs.js';
import { defaultEncoder } from '../encode/default-encoder.js';
import type { EncoderOptions, ParquetEncoder } from '../encode/encoder.js';
import type { FileSchema } from '../schema/elements.js';

export interface ParquetWriteOptions {
  /** Default `snappy`. */
  readonly compression?: Compression;
  /** A row group ends after so many rows. Default 1,048,576. */
  readonly rowGroupRows?: number;
  /** A row group ends when its columns take so much memory. Default 32 MiB. */
  readonly rowGroupBytes?: number;
  /** About how many bytes of values a page has, before compression. Default 1 MiB. */
  readonly pageBytes?: number;
  /**
   * Columns with a Bloom filter, by which a reader who looks for one key skips row groups: names of top-level columns, or of fields in
   * structs with points between them. For columns with many distinct values; on others statistics and dictionaries do as well.
   */
  readonly bloomFilters?: Readonly<Record<string, true | BloomFilterOptions>>;
  /** Whether the file has least, greatest and null counts of its columns. Default true. What `finish` returns has them always. */
  readonly statistics?: boolean;
  /** Key-value metadata of the file. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Default: the one of this package. `@eos/parquet/parquetjs-lite` has another. */
  readonly encoder?: ParquetEncoder;
}

export interface WriteSettings extends Omit<EncoderOptions, 'schema' | 'write'> {
  readonly rowGroupRows: number;
  readonly rowGroupBytes: number;
  readonly encoder: ParquetEncoder;
}

/** Columns keep their offsets in 32 bits. */
const MAX_ROW_GROUP_BYTES = 1024 * 1024 * 1024;

/** @throws EOS_CONFIG naming the option */
export function writeSettings(options: ParquetWriteOptions, schema: FileSchema): WriteSettings {
  const compression = options.compression ?? 'snappy';
  codecOf(compression);
  return {
    compression,
    rowGroupRows: integer('rowGroupRows', options.rowGroupRows ?? 1_048_576, 2 ** 31 - 1),
    rowGroupBytes: integer('rowGroupBytes', options.rowGroupBytes ?? 32 * 1024 * 1024, MAX_ROW_GROUP_BYTES),
    pageBytes: integer('pageBytes', options.pageBytes ?? 1024 * 1024, MAX_ROW_GROUP_BYTES),
    bloomFilters: bloomFilters(options.bloomFilters ?? {}, schema),
    statistics: options.statistics ?? true,
    metadata: options.metadata ?? {},
    encoder: options.encoder ?? defaultEncoder,
  };
}

function integer(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new EosError('EOS_CONFIG', `${name} must be an integer from 1 to ${most}, not ${value}`, {
    details: { option: name },
  });
}

function bloomFilters(
  wanted: Readonly<Record<string, true | BloomFilterOptions>>,
  { leaves }: FileSchema,
): ReadonlyMap<string, Required<BloomFilterOptions>> {
  const known = new Set(leaves.map(({ path }) => path.join('.')));
  return new Map(
    Object.entries(wanted).map(([name, options]) => {
      if (known.has(name)) return [name, checkBloomOptions(options === true ? {} : options)];
      throw new EosError('EOS_CONFIG', `bloomFilters: there is no column ${JSON.stringify(name)}`, {
        details: { option: 'bloomFilters', column: name },
      });
    }),
  );
}
