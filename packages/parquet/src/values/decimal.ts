/** Decimals: text, and the whole number that a file keeps (`12.50` at scale 2 is 1250). Never through a binary fraction. */
import { refuse } from './refuse.js';

const DECIMAL = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))$/;

/**
 * Makes a function from the text of a decimal to its unscaled digits, with a sign where it is negative, and without zeros in front. It
 * throws EOS_ROW for what is no decimal, or has more digits than the column holds: nothing is rounded.
 */
export function unscaledText(precision: number, scale: number): (value: unknown) => string {
  return (value) => {
    const parts = typeof value === 'string' ? DECIMAL.exec(value) : null;
    if (parts === null) return refuse('no decimal: digits in a string, with an optional sign and point');
    const whole = (parts[2] ?? '').replace(/^0+/, '');
    const fraction = (parts[3] ?? parts[4] ?? '').replace(/0+$/, '');
    if (whole.length > precision - scale || fraction.length > scale) {
      return refuse(`more digits than decimal(${precision}, ${scale}) holds`);
    }
    const digits = (whole + fraction.padEnd(scale, '0')).replace(/^0+(?=\d)/, '');
    return parts[1] === '-' ? `-${digits}` : digits;
  };
}

const ZERO = 0x30;
const POINT = 0x2e;
const MINUS = 0x2d;

/** Numbers of so many digits are exact in a double. */
const EXACT_DIGITS = 15;

/**
 * The same as a number, faster, for texts of the plain form `-12.5` with up to 15 digits in all; NaN for anything else, which
 * {@link unscaledText} then judges.
 */
export function unscaledNumber(precision: number, scale: number): (value: unknown) => number {
  const limit = 10 ** Math.min(precision, EXACT_DIGITS);
  const powers = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);
  return (value) => {
    if (typeof value !== 'string') return NaN;
    const isNegative = value.charCodeAt(0) === MINUS;
    const first = isNegative ? 1 : 0;
    const { length } = value;
    if (length === first || length - first > EXACT_DIGITS) return NaN;
    let number = 0;
    let point = length;
    for (let at = first; at < length; at++) {
      const code = value.charCodeAt(at);
      if (code === POINT && point === length) point = at;
      else if (code < ZERO || code > ZERO + 9) return NaN;
      else number = number * 10 + (code - ZERO);
    }
    const zeros = scale - (point === length ? 0 : length - point - 1);
    if (zeros < 0 || point === first || point === length - 1) return NaN;
    const unscaled = number * (powers[zeros] ?? NaN);
    if (!(unscaled < limit)) return NaN;
    return isNegative && unscaled !== 0 ? -unscaled : unscaled;
  };
}

/** The text of unscaled digits: exactly `scale` digits follow the point. */
export function decimalText(unscaled: bigint | number, scale: number): string {
  if (scale === 0) return String(unscaled);
  const isNegative = unscaled < 0;
  const digits = String(unscaled)
    .slice(isNegative ? 1 : 0)
    .padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${isNegative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** The number of a two's complement, most significant byte first. */
export function bigintOf(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return hex === '' ? 0n : BigInt.asIntN(8 * bytes.byteLength, BigInt(`0x${hex}`));
}

/** Writes a number as two's complement, most significant byte first, into `width` bytes at `offset`. */
export function writeBigint(target: Uint8Array, offset: number, width: number, value: bigint): void {
  let rest = value;
  for (let at = offset + width - 1; at >= offset; at--) {
    target[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** The fewest bytes whose two's complement holds every number of that many digits. */
export function decimalBytes(precision: number): number {
  const most = 10n ** BigInt(precision) - 1n;
  let bytes = 1;
  while (2n ** BigInt(8 * bytes - 1) - 1n < most) bytes += 1;
  return bytes;
}
