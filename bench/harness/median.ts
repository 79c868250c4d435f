/**
 * The middle of some figures: one round that another process disturbed does not move it.
 * @throws RangeError when there are none
 */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * @param share 0..1, such as 0.99 for p99
 * @throws RangeError when there are no values
 */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError('there is no quantile of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (above - below) * (place - Math.floor(place));
}
