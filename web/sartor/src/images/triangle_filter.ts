/** The triangle filter of docs/recipe.md, as the kernel of the resizer reads it. */

const SCALE = 2 ** 22; // weights are integers, so that ties are rounded as in Pillow

/** The filters of the outputs along one axis. */
export interface Filters {
  /** For each output: its first input, its number of weights, and the weights; then zeros. */
  readonly data: Int32Array;
  /** Number of elements from one filter to the next one. */
  readonly size: number;
}

/**
 * Return a triangle filter for each output; its support grows with the ratio.
 *
 * @param from - number of inputs.
 * @param to - number of outputs.
 */
export function triangleFilters(from: number, to: number): Filters {
  const ratio = from / to;
  const support = Math.max(1, ratio);
  const size = 2 + even(2 * Math.ceil(support) + 1);
  const data = new Int32Array(to * size);
  for (let output = 0; output < to; output += 1) {
    const center = (output + 0.5) * ratio;
    const start = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(from, Math.floor(center + support + 0.5));
    const weights: number[] = [];
    for (let input = start; input < end; input += 1) {
      weights.push(Math.max(0, 1 - Math.abs((input - center + 0.5) / support)));
    }
    const sum = weights.reduce((a, b) => a + b, 0);
    const integers = weights.map((weight) => Math.floor((weight / sum) * SCALE + 0.5));
    data.set([start, even(weights.length), ...integers], output * size);
  }
  return { data, size };
}

/** Return the next even number: the kernel reads weights in pairs, the last one may be zero. */
function even(count: number): number {
  return count + (count % 2);
}
