/** Texts of points in time, as logs have them. */

const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/i;

/**
 * Microseconds since 1970 of `2026-01-31T10:00:00.123456Z` or `2026-01-31 10:00:00`, without a zone those of UTC; undefined for anything
 * else.
 */
export function parseTimestamp(text: string): bigint | undefined {
  const parts = TIMESTAMP.exec(text.trim());
  if (parts === null) return undefined;
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', fraction = ''] = parts;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const milliseconds = date.getTime();
  // The calendar of a Date goes on behind the last of a month.
  if (Number.isNaN(milliseconds) || date.getUTCDate() !== Number(day)) return undefined;
  const microseconds = BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
  return microseconds - zoneMicroseconds(parts[8]);
}

function zoneMicroseconds(zone: string | undefined): bigint {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '') ?? [];
  if (sign === undefined) return 0n;
  const offset = (BigInt(hours) * 60n + BigInt(minutes)) * 60_000_000n;
  return sign === '-' ? -offset : offset;
}
