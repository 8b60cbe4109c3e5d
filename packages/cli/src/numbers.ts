/** Numbers for people. */

export function grouped(value: number | bigint): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1 file`, `1,234 files`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `12.3 MB`, or `1,234 rows`. */
export function amount(value: number, unit: 'bytes' | 'rows'): string {
  if (unit === 'rows') return `${grouped(value)} rows`;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let index = 0;
  while (scaled >= 1000 && index < units.length - 1) {
    scaled /= 1000;
    index++;
  }
  return `${index === 0 ? String(Math.round(scaled)) : scaled.toFixed(1)} ${units[index] ?? ''}`;
}

/** `3 s`, `5 min`, `2 h`, `4 d`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
