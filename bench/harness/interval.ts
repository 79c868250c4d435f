/** A range that holds the true value with a stated probability. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  /** 0..1, at least what was asked for unless there were too few values. */
  readonly confidence: number;
}

/**
 * An interval for the median of what the values were drawn from, whatever its distribution: the number
 * of values below the true median is binomial, so the k-th smallest and the k-th largest enclose it
 * with a known probability (David and Nagaraja, Order Statistics, 2003, section 7.1).
 * @param wanted the confidence to reach; with too few values, the smallest and the largest are returned
 *   with the confidence that they give
 * @throws RangeError when there are no values
 */
export function medianInterval(values: readonly number[], wanted = 0.95): Interval {
  if (values.length === 0) throw new RangeError('there is no interval of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  let [k, outside] = [1, 2 * binomial(values.length, 0)];
  for (let below = 1; k < values.length / 2; below += 1) {
    const wider = outside + 2 * binomial(values.length, below);
    if (1 - wider < wanted) break;
    [k, outside] = [k + 1, wider];
  }
  return {
    low: sorted[k - 1] as number,
    high: sorted[values.length - k] as number,
    confidence: Math.max(0, 1 - outside),
  };
}

/** The probability that `heads` of `flips` fair coins show heads. */
function binomial(flips: number, heads: number): number {
  let probability = 0.5 ** flips;
  for (let each = 1; each <= heads; each += 1) probability *= (flips - each + 1) / each;
  return probability;
}
