export interface Median {
  readonly value: number;
  /** The true median lies there with at least 95 % certainty, whatever the values' distribution. */
  readonly from: number;
  readonly to: number;
}

/**
 * Of at least six values. The interval ends at two of the values themselves: how many of n lie below the true median is
 * binomial with 1/2 (W. J. Conover, Practical Nonparametric Statistics, section 3.2).
 */
export function medianOf(values: readonly number[]): Median {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const at = (index: number): number => sorted[index] ?? NaN;
  const value = (at(Math.floor((n - 1) / 2)) + at(Math.ceil((n - 1) / 2))) / 2;
  const outside = valuesOutside(n);
  return { value, from: at(outside - 1), to: at(n - outside) };
}

/** The most k with P(fewer than k of n below) ≤ 2.5 %. */
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
