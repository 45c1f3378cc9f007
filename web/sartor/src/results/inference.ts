/** The result of the signature `infer`. */

import {
  FEATURES,
  HEAD_FEATURES,
  type Manifest,
  OUTPUT,
} from '../../../../contract/generated/contract.js';
import { numbered, volume } from '../data/batches.js';
import { Matrix } from '../data/matrix.js';
import { DataError } from '../errors.js';

/** What the model computes for one input. */
export interface Inference {
  /** One row of each features tensor. */
  readonly features: readonly Matrix[];
  /** Class name → output. */
  readonly outputs: ReadonlyMap<string, number>;
  /** Whether the input is in-distribution; undefined without a detector. */
  readonly inDistribution: boolean | undefined;
}

/** The outputs of `infer`: name → values. */
type Outputs = Readonly<Record<string, Float32Array>>;

/** Return one row of each features tensor. */
export function featuresOf(outputs: Outputs, { features }: Manifest): Matrix[] {
  return features.map(({ shape }, i) => {
    return new Matrix(outputs[numbered(FEATURES, i)] as Float32Array, volume(shape));
  });
}

/** Return the row of features of the head: behind tuned layers, if the file has them. */
export function headFeaturesOf(outputs: Outputs, manifest: Manifest): Matrix[] {
  const { layers } = manifest;
  return layers === null
    ? featuresOf(outputs, manifest)
    : [new Matrix(outputs[HEAD_FEATURES] as Float32Array, layers.features)];
}

/**
 * Return the output of each class index.
 *
 * @throws DataError if one is not finite.
 */
export function outputOf(outputs: Outputs): Float32Array {
  const output = outputs[OUTPUT] as Float32Array;
  if (!output.every(Number.isFinite)) {
    throw new DataError(
      'the output has values that are not finite: the model cannot process this input. Use ' +
        'another input, or check the model with `sartor verify`',
    );
  }
  return output;
}
