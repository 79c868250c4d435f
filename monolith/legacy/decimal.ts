const DECIMAL = /^(\d{1,14})\.(\d{2})$/;

/** The legacy schema keeps money as decimal text; all currencies here have two minor digits. */
export function toDecimal(minor: number): string {
  if (!Number.isSafeInteger(minor) || minor < 0) throw new RangeError(`${minor} is no amount`);
  const digits = String(minor).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * Minor units of a decimal text such as `12.34`.
 * @throws RangeError for anything else
 */
export function toMinor(decimal: string): number {
  const match = DECIMAL.exec(decimal);
  const minor = match ? Number(`${match[1]}${match[2]}`) : Number.NaN;
  if (!Number.isSafeInteger(minor)) throw new RangeError(`${decimal} is no amount`);
  return minor;
}
