/** Decimals as whole numbers of their smallest digit. */

const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,4}))?$/;

/** `12.5` at scale 2 is 1250; undefined for what is no decimal, or has more digits behind the point than `scale`. */
export function unscaledOf(text: string, scale: number): bigint | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') return undefined;
  const shift = scale - fraction.length + Number(exponent);
  const digits = BigInt(whole + fraction);
  const unscaled = shift >= 0 ? digits * 10n ** BigInt(shift) : divided(digits, 10n ** BigInt(-shift));
  if (unscaled === undefined) return undefined;
  return sign === '-' ? -unscaled : unscaled;
}

function divided(digits: bigint, by: bigint): bigint | undefined {
  return digits % by === 0n ? digits / by : undefined;
}

/** The text of a whole number of smallest digits: exactly `scale` digits follow the point. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  const text = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return unscaled < 0n ? `-${text}` : text;
}
