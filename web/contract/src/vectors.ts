/** The vectors of `contract/`: calls on a fresh model, with their expected outputs. */

import { type SignatureKey, VERSION } from '../../../contract/generated/contract.js';

export interface TensorJson {
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32' | 'uint8';
  readonly data: readonly number[];
}

export interface Call {
  readonly about: string;
  readonly signature: SignatureKey;
  readonly inputs: Readonly<Record<string, TensorJson>>;
  readonly outputs: Readonly<Record<string, TensorJson>>;
}

export interface VectorFile {
  readonly contract: number;
  readonly model: string;
  readonly tolerance: number;
  readonly calls: readonly Call[];
}

/** One output of a call. */
export interface Output {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Read a vector file.
 *
 * @throws Error if its contract has another version.
 */
export function parseVectors(json: unknown): VectorFile {
  const file = json as VectorFile;
  if (file.contract !== VERSION) {
    throw new Error(`the vectors have contract version ${file.contract}, expected ${VERSION}`);
  }
  return file;
}

/**
 * Return the largest difference between outputs and their expected values: absolute if the
 * expected value is below 1, relative otherwise.
 *
 * @throws Error if a name or a shape differs.
 */
export function difference(
  outputs: Readonly<Record<string, Output>>,
  expected: Readonly<Record<string, TensorJson>>,
): number {
  const names = Object.keys(expected).sort().join(', ');
  const outputNames = Object.keys(outputs).sort().join(', ');
  if (outputNames !== names) {
    throw new Error(`got the outputs ${outputNames}, expected ${names}`);
  }
  let largest = 0;
  for (const [name, tensor] of Object.entries(expected)) {
    const output = outputs[name];
    if (output === undefined || output.shape.join() !== tensor.shape.join()) {
      throw new Error(`${name}: got the shape [${output?.shape}], expected [${tensor.shape}]`);
    }
    largest = worse(largest, tensorDifference(output.data, tensor.data));
  }
  return largest;
}

function tensorDifference(values: ArrayLike<number>, expected: readonly number[]): number {
  if (values.length !== expected.length) {
    return Number.NaN;
  }
  return expected.reduce(
    (largest, value, i) =>
      worse(largest, Math.abs((values[i] ?? Number.NaN) - value) / Math.max(1, Math.abs(value))),
    0,
  );
}

/** Return the larger number; NaN is the largest. */
function worse(a: number, b: number): number {
  return Number.isNaN(a) || a > b ? a : b;
}
