/** The vectors of `contract/`: calls on a fresh model, and what each must yield. */

export interface TensorJson {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'uint8';
  readonly data: readonly number[];
}

export interface Call {
  readonly about: string;
  readonly signature: string;
  readonly inputs: Readonly<Record<string, TensorJson>>;
  readonly outputs: Readonly<Record<string, TensorJson>>;
}

export interface VectorFile {
  readonly contract: number;
  readonly model: string;
  readonly tolerance: number;
  readonly calls: readonly Call[];
}

/** What came out of one output. */
export interface Got {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * The largest difference between what was got and what is expected: absolute where the expected
 * value is below 1, relative above.
 *
 * @throws Error where a name or a shape differs.
 */
export function difference(
  got: Readonly<Record<string, Got>>,
  expected: Readonly<Record<string, TensorJson>>,
): number {
  const names = Object.keys(expected).sort().join(', ');
  if (Object.keys(got).sort().join(', ') !== names) {
    throw new Error(`got the outputs ${Object.keys(got).sort().join(', ')}, expected ${names}`);
  }
  let largest = 0;
  for (const [name, want] of Object.entries(expected)) {
    const have = got[name];
    if (have === undefined || have.shape.join() !== want.shape.join()) {
      throw new Error(`${name}: got the shape [${have?.shape}], expected [${want.shape}]`);
    }
    largest = worse(largest, tensorDifference(have.data, want.data));
  }
  return largest;
}

function tensorDifference(got: ArrayLike<number>, expected: readonly number[]): number {
  if (got.length !== expected.length) {
    return Number.NaN;
  }
  return expected.reduce(
    (largest, want, i) =>
      worse(largest, Math.abs((got[i] ?? Number.NaN) - want) / Math.max(1, Math.abs(want))),
    0,
  );
}

/** The larger one; NaN is the worst. */
function worse(a: number, b: number): number {
  return Number.isNaN(a) || a > b ? a : b;
}
