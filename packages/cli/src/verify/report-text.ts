/** The report for people. */
import { grouped } from '../numbers.js';
import type { RowValues, VerifyReport, WrongRow } from './report.js';

/** Several lines, without a newline at the end. */
export function reportText(report: VerifyReport): string {
  const { pipeline, sink, destination, source, verdict, notes } = report;
  return [
    `${pipeline}/${sink}: ${destination} against ${source}`,
    ...(verdict === 'unrepeatable' ? [] : countLines(report)),
    ...report.rows.map(rowLine),
    ...moreLines(report),
    ...notes.map((note) => `note: ${note}`),
    VERDICTS[verdict],
  ].join('\n');
}

const VERDICTS = {
  equal: 'equal: every row is there once, as it should be',
  different: 'different',
  unrepeatable: 'cannot be verified',
} as const;

function countLines({ positions, expected, found, counts }: VerifyReport): string[] {
  const offsets = Object.entries(positions).map(
    ([partition, offset]) => `${partition} at ${offset ?? 'the start'}`,
  );
  const shown = offsets.length <= 5 ? offsets : [...offsets.slice(0, 5), `${offsets.length - 5} more`];
  const { lost, doubled, changed, foreign } = counts;
  return [
    `up to ${shown.length === 0 ? 'no position' : shown.join(', ')}`,
    `${grouped(expected)} rows expected, ${grouped(found)} found: ${grouped(lost)} lost, ${grouped(doubled)} doubled, ` +
      `${grouped(changed)} changed, ${grouped(foreign)} foreign`,
  ];
}

function rowLine({ kind, copies, table, row, columns, ...place }: WrongRow): string {
  const times = copies === 1 ? '' : ` ${grouped(copies)} times`;
  const where = table === undefined ? '' : ` in ${table}`;
  return `${kind}${times}${where}: ${valuesText(row)}${changesText(columns)}${placeText(place)}`;
}

function placeText({
  partition,
  offset,
  nextOffset,
}: Pick<WrongRow, 'partition' | 'offset' | 'nextOffset'>): string {
  if (partition === undefined || offset === undefined) return '';
  return nextOffset === undefined
    ? ` (${partition}, offset ${offset})`
    : ` (${partition}, offsets ${offset} to ${nextOffset})`;
}

function valuesText(values: RowValues): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(' ');
}

function changesText(columns: WrongRow['columns']): string {
  if (columns === undefined) return '';
  const changes = Object.entries(columns).map(
    ([name, { expected, found }]) => `${name} should be ${shown(expected)}, is ${shown(found)}`,
  );
  return `: ${changes.join('; ')}`;
}

/** A value, cut to what a line can bear. */
function shown(value: string | null): string {
  if (value === null) return 'null';
  const text = value.length <= 60 ? value : `${value.slice(0, 60)}…`;
  return /^[\w.:+-]+$/.test(text) && text !== 'null' ? text : JSON.stringify(text);
}

function moreLines({ counts, rows }: VerifyReport): string[] {
  const kinds = ['lost', 'doubled', 'changed', 'foreign'] as const;
  return kinds.flatMap((kind) => {
    const named = rows.filter((row) => row.kind === kind).reduce((sum, { copies }) => sum + copies, 0);
    return named < counts[kind] ? [`… ${grouped(counts[kind] - named)} more ${kind}`] : [];
  });
}
