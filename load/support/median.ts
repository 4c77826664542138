export interface Median {
  readonly value: number;
  /** Confidence interval: contains the true median with at least 95 % certainty, whatever the distribution. */
  readonly from: number;
  readonly to: number;
}

/**
 * The median of at least six values. The ends of the interval are two of the values: the number of the n values that lie
 * below the true median is binomial with p = 1/2 (W. J. Conover, Practical Nonparametric Statistics, section 3.2).
 */
export function medianOf(values: readonly number[]): Median {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const at = (index: number): number => sorted[index] ?? NaN;
  const value = (at(Math.floor((n - 1) / 2)) + at(Math.ceil((n - 1) / 2))) / 2;
  const outside = valuesOutside(n);
  return { value, from: at(outside - 1), to: at(n - outside) };
}

/** The largest k with P(fewer than k of n below) ≤ 2.5 %. */
function valuesOutside(n: number): number {
  let probability = 0.5 ** n;
  let sum = probability;
  let k = 0;
  while (sum <= 0.025) {
    k++;
    probability *= (n - k + 1) / k;
    sum += probability;
  }
  return k;
}
