/**
 * Statistics of a data file, as its `add` has them.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics
 */
import type { ColumnSummary, ParquetFile, ScalarValue } from '@eos/parquet';
import type { Metadata } from '../log/actions.js';
import { rowCountOf } from './file-bounds.js';

const DEFAULT_INDEXED_COLUMNS = 32;

/** The text of `stats`: numbers of rows and nulls, least and greatest values of the columns that the table wants indexed. */
export function fileStatistics(
  file: ParquetFile,
  { configuration }: Pick<Metadata, 'configuration'>,
): string {
  const [min, max, nulls] = [new Tree(), new Tree(), new Tree()];
  for (const column of indexedColumns(file, configuration)) {
    nulls.set(column.path, String(column.nullCount));
    const bounds = boundTexts(column);
    if (bounds === undefined) continue;
    min.set(column.path, bounds.min);
    max.set(column.path, bounds.max);
  }
  return `{"numRecords":${file.rowCount},"minValues":${min.text()},"maxValues":${max.text()},"nullCount":${nulls.text()}}`;
}

/**
 * Of a file with a deletion vector: rows are counted with those that are deleted, and bounds may be wider than what is left.
 * @param stats undefined, or without a number of rows: the number is all there is
 */
export function looseStatistics(stats: string | undefined, rowCount: number): string {
  // As text: a number that is parsed and written again may lose digits.
  const kept = (stats ?? '')
    .trim()
    .replace(/"tightBounds"\s*:\s*(?:true|false)\s*,/g, '')
    .replace(/,?\s*"tightBounds"\s*:\s*(?:true|false)/g, '');
  const isUsable = rowCountOf(kept) === rowCount;
  return isUsable
    ? `${kept.slice(0, -1)},"tightBounds":false}`
    : `{"numRecords":${rowCount},"tightBounds":false}`;
}

/** The first columns, or those that the table names: each with all within it. */
function indexedColumns(
  { columns }: ParquetFile,
  configuration: Readonly<Record<string, string>>,
): readonly ColumnSummary[] {
  const leaves = columns.filter(({ isRepeated }) => !isRepeated);
  const named = configuration['delta.dataSkippingStatsColumns'];
  if (named !== undefined) {
    const paths = named.split(',').map((path) => path.trim().replaceAll('`', ''));
    return leaves.filter(({ path }) =>
      paths.some((wanted) => `${path.join('.')}.`.toLowerCase().startsWith(`${wanted}.`.toLowerCase())),
    );
  }
  const wanted = Number(configuration['delta.dataSkippingNumIndexedCols'] ?? DEFAULT_INDEXED_COLUMNS);
  return wanted < 0 || !Number.isInteger(wanted) ? leaves : leaves.slice(0, wanted);
}

function boundTexts({ type, min, max }: ColumnSummary): { min: string; max: string } | undefined {
  if (min === undefined || max === undefined) return undefined;
  switch (type.kind) {
    case 'boolean':
    case 'bytes':
    case 'json':
      return undefined;
    case 'timestamp':
      return timestampBounds(min, max);
    default: {
      const [least, greatest] = [jsonText(type.kind, min), jsonText(type.kind, max)];
      return least === undefined || greatest === undefined ? undefined : { min: least, max: greatest };
    }
  }
}

function jsonText(kind: string, value: ScalarValue): string | undefined {
  if (typeof value === 'bigint') return value.toString();
  // JSON has no infinity.
  if (typeof value === 'number') return Number.isFinite(value) ? numberText(value) : undefined;
  if (typeof value !== 'string') return undefined;
  // A decimal is a number there, with all its digits. Days beyond the year 9999 have no text that readers know.
  if (kind === 'decimal') return value;
  return kind === 'date' && value.length !== 10 ? undefined : JSON.stringify(value);
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : JSON.stringify(value);
}

/** To the millisecond, which is what readers expect: down and up, so that no value lies outside. */
function timestampBounds(min: ScalarValue, max: ScalarValue): { min: string; max: string } | undefined {
  if (typeof min !== 'bigint' || typeof max !== 'bigint') return undefined;
  const least = isoText(floorOf(min));
  const greatest = isoText(-floorOf(-max));
  return least === undefined || greatest === undefined ? undefined : { min: least, max: greatest };
}

/** Milliseconds of microseconds, rounded down. */
function floorOf(microseconds: bigint): bigint {
  return (microseconds - (((microseconds % 1000n) + 1000n) % 1000n)) / 1000n;
}

function isoText(milliseconds: bigint): string | undefined {
  const date = new Date(Number(milliseconds));
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999 ? JSON.stringify(date.toISOString()) : undefined;
}

/** Texts by path, as nested JSON objects. */
class Tree {
  readonly #members = new Map<string, string | Tree>();

  set([name = '', ...rest]: readonly string[], text: string): void {
    if (rest.length === 0) {
      this.#members.set(name, text);
      return;
    }
    const found = this.#members.get(name);
    const child = found instanceof Tree ? found : new Tree();
    this.#members.set(name, child);
    child.set(rest, text);
  }

  text(): string {
    const members = [...this.#members].map(
      ([name, member]) => `${JSON.stringify(name)}:${member instanceof Tree ? member.text() : member}`,
    );
    return `{${members.join(',')}}`;
  }
}
