/** Instants as the server reads them: `2024-02-29 12:34:56.789000+00`, exact to the microsecond. */
import { refuse } from './refuse.js';

/** In microseconds. */
const MINUTE = 60_000_000;
const MINUTE_EXACT = 60_000_000n;
const MINUTES_A_DAY = 1_440;

/** 4714-11-24 BC, the earliest that PostgreSQL holds. Its latest is beyond 2^63 microseconds. */
const EARLIEST = -210_866_803_200_000_000n;
const LATEST = 2n ** 63n - 1n;

const TWO_DIGITS = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));
const MILLISECONDS = Array.from({ length: 1000 }, (_, number) => `.${String(number).padStart(3, '0')}`);

/**
 * Makes a function from microseconds since 1970-01-01 UTC, or a Date, to text. Rows tend to follow one another in time, so
 * what the last one had in common with it is kept: all but its seconds.
 */
export function timestampEncoder(): (value: unknown) => string {
  let lastMinute = NaN;
  let start = '';
  let zone = '+00';

  /** `minute` since 1970, and the microseconds in it. */
  const text = (minute: number, rest: number): string => {
    if (minute !== lastMinute) {
      lastMinute = minute;
      const day = Math.floor(minute / MINUTES_A_DAY);
      const [date, era] = dateOf(day);
      start = `${date} ${timeOf(minute - day * MINUTES_A_DAY)}`;
      zone = `+00${era}`;
    }
    return start + secondsOf(rest) + zone;
  };

  return (value) => {
    if (value instanceof Date) {
      const milliseconds = value.getTime();
      if (Number.isNaN(milliseconds)) return refuse('an invalid Date');
      const minute = Math.floor(milliseconds / (MINUTE / 1000));
      // Multiplied last: microseconds since 1970 leave the exact range of a double in the year 2255.
      return text(minute, (milliseconds - minute * (MINUTE / 1000)) * 1000);
    }
    if (typeof value !== 'bigint') return refuse('no timestamp: bigint microseconds since 1970, or a Date');
    const near = Number(value);
    if (Number.isSafeInteger(near)) {
      const minute = Math.floor(near / MINUTE);
      return text(minute, near - minute * MINUTE);
    }
    if (value < EARLIEST || value > LATEST) return refuse('a timestamp beyond what the server holds');
    const rest = ((value % MINUTE_EXACT) + MINUTE_EXACT) % MINUTE_EXACT;
    return text(Number((value - rest) / MINUTE_EXACT), Number(rest));
  };
}

/** `12:34:` of a day. */
function timeOf(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  return `${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes - hours * 60]}:`;
}

/** `56`, `56.789` or `56.789012` of a minute. */
function secondsOf(microseconds: number): string {
  const fraction = microseconds % 1_000_000;
  const seconds = TWO_DIGITS[(microseconds - fraction) / 1_000_000] ?? '';
  if (fraction === 0) return seconds;
  if (fraction % 1000 === 0) return seconds + (MILLISECONDS[fraction / 1000] ?? '');
  return `${seconds}.${String(fraction).padStart(6, '0')}`;
}

/** Date and era of a day since 1970: http://howardhinnant.github.io/date_algorithms.html#civil_from_days */
function dateOf(day: number): [date: string, era: string] {
  const shifted = day + 719_468;
  const cycle = Math.floor(shifted / 146_097);
  const dayOfCycle = shifted - cycle * 146_097;
  const yearOfCycle = Math.floor(
    (dayOfCycle -
      Math.floor(dayOfCycle / 1_460) +
      Math.floor(dayOfCycle / 36_524) -
      Math.floor(dayOfCycle / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0);
  // There is no year 0: 1 BC comes before 1 AD.
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return [`${shown}-${TWO_DIGITS[month]}-${TWO_DIGITS[dayOfMonth]}`, year > 0 ? '' : ' BC'];
}
