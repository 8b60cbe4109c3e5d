/** Where a pipeline stands, for people. */
import { amount, duration, grouped } from '../numbers.js';
import type { PartitionReport, PipelineStatus } from './collect.js';

const TITLES = ['partition', 'offset', 'left', 'commits', 'last commit', 'rate', 'owner'] as const;

/** @param now in milliseconds since 1970 */
export function statusTable(status: PipelineStatus, now: number): string {
  const { pipeline, source, sinks, sourceError } = status;
  const lines = [`${pipeline}, from ${source}`];
  if (sourceError !== undefined) lines.push(`the source does not tell what is left: ${sourceError}`);
  for (const { sink, description, partitions } of sinks) {
    lines.push('', `${sink} (${description})`);
    if (partitions.length === 0) lines.push('  nothing was written yet');
    else lines.push(...table([TITLES, ...partitions.map((partition) => cells(partition, now))]));
  }
  return `${lines.join('\n')}\n`;
}

function cells(report: PartitionReport, now: number): readonly string[] {
  const { partition, offset, epoch, lag, unit, committedAt, unitsPerSecond, owner, connected } = report;
  const left = lag === null ? '?' : amount(Number(lag), unit ?? 'rows');
  const age = committedAt === null ? '?' : `${duration(now - Date.parse(committedAt))} ago`;
  const rate = unitsPerSecond === null ? '?' : `${rateText(unitsPerSecond, unit)}/s`;
  return [
    partition,
    offset === null ? '-' : grouped(BigInt(offset)),
    left,
    epoch === null ? '-' : grouped(BigInt(epoch)),
    offset === null ? '-' : age,
    offset === null ? '-' : rate,
    owner === null ? 'nobody yet' : ownerText(connected),
  ];
}

function rateText(perSecond: number, unit: 'bytes' | 'rows' | null): string {
  return unit === null ? grouped(perSecond) : amount(perSecond, unit);
}

function ownerText(connected: boolean | null): string {
  if (connected === null) return 'claimed';
  return connected ? 'connected' : 'not connected';
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
