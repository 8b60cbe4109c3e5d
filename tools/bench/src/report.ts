/** Measurements as text: JSON lines for programs, a table for people. */
import type { Measurement, Target } from './measurement.js';

const HEADINGS = ['case', 'ours', 'baseline', 'unit', 'ratio', 'target', ''] as const;
const WIDTHS = [56, 10, 10, 14, 7, 8, 6] as const;
const IS_TEXT = [true, false, false, true, false, false, true] as const;

/** One line of JSON, its numbers cut to what was measured of them. */
export function jsonLine(measurement: Measurement): string {
  return JSON.stringify(measurement, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value,
  );
}

/** The head of the table. */
export function tableHead(): string {
  return `${tableRow([...HEADINGS])}\n${WIDTHS.map((width) => '-'.repeat(width)).join('  ')}`;
}

/** One line of the table, with the target beside the ratio and whether it was met. */
export function tableLine({ name, ours, baseline, unit, ratio, target, met }: Measurement): string {
  const cells = [
    name,
    formatNumber(ours),
    baseline === null ? '' : formatNumber(baseline),
    unit,
    ratio === null ? '' : ratio.toFixed(2),
    target === undefined ? '' : formatTarget(target),
    met === undefined ? '' : met ? 'met' : 'MISSED',
  ];
  return tableRow(cells);
}

/** What else was seen, to be printed below a line of the table. */
export function detailLines({ details }: Measurement): string[] {
  return Object.entries(details).map(([name, value]) => {
    const text = Array.isArray(value)
      ? value.map(formatNumber).join(' … ')
      : typeof value === 'number'
        ? formatNumber(value)
        : value;
    return `    ${name}: ${String(text)}`;
  });
}

/** About four digits, thousands apart. */
export function formatNumber(value: number): string {
  const magnitude = Math.abs(value);
  const digits = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function formatTarget({ of, is, value }: Target): string {
  const sign = is === 'at least' ? '>=' : '<=';
  return `${sign} ${of === 'ratio' ? value.toFixed(2) : formatNumber(value)}`;
}

function tableRow(cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const width = WIDTHS[index] ?? 0;
      return IS_TEXT[index] === true ? cell.padEnd(width) : cell.padStart(width);
    })
    .join('  ')
    .trimEnd();
}
