/** Instants as the server reads them: `2024-02-29 12:34:56.789000+00`, exact to the microsecond. */
import { refuse } from './refuse.js';

const DAY = 86_400_000_000;
const DAY_EXACT = 86_400_000_000n;

/** 4714-11-24 BC, the earliest that PostgreSQL holds. Its latest is beyond 2^63 microseconds. */
const EARLIEST = -210_866_803_200_000_000n;
const LATEST = 2n ** 63n - 1n;

const TWO_DIGITS = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, '0'));

/**
 * Makes a function from microseconds since 1970-01-01 UTC, or a Date, to text. Rows tend to follow one another in time, so
 * the text of the last day is kept.
 */
export function timestampEncoder(): (value: unknown) => string {
  let lastDay = NaN;
  let date = '';
  let era = '';

  const text = (day: number, rest: number): string => {
    if (day !== lastDay) {
      lastDay = day;
      [date, era] = dateOf(day);
    }
    return `${date} ${timeOf(rest)}+00${era}`;
  };

  return (value) => {
    if (value instanceof Date) {
      const milliseconds = value.getTime();
      if (Number.isNaN(milliseconds)) return refuse('an invalid Date');
      const day = Math.floor(milliseconds / (DAY / 1000));
      return text(day, milliseconds * 1000 - day * DAY);
    }
    if (typeof value !== 'bigint') return refuse('no timestamp: bigint microseconds since 1970, or a Date');
    const near = Number(value);
    if (Number.isSafeInteger(near)) {
      const day = Math.floor(near / DAY);
      return text(day, near - day * DAY);
    }
    if (value < EARLIEST || value > LATEST) return refuse('a timestamp beyond what the server holds');
    const rest = ((value % DAY_EXACT) + DAY_EXACT) % DAY_EXACT;
    return text(Number((value - rest) / DAY_EXACT), Number(rest));
  };
}

function timeOf(microseconds: number): string {
  const fraction = microseconds % 1_000_000;
  const seconds = (microseconds - fraction) / 1_000_000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const time = `${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes]}:${TWO_DIGITS[seconds % 60]}`;
  return fraction === 0 ? time : `${time}.${String(fraction).padStart(6, '0')}`;
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
