/** Batches: the inputs of the signatures, always B rows; missing rows have weight 0. */

import {
  FEATURES,
  LABELS,
  LOSS,
  type Manifest,
  OUTPUT,
  SAMPLE_WEIGHTS,
} from '../../../../contract/generated/contract.js';
import type { Engine } from '../litert/engine.js';
import { indicesOf, range, sum } from '../numbers.js';
import { StoredFeatures } from '../store/stored_features.js';
import { takeTurns } from '../turns.js';
import type { Dataset } from './dataset.js';
import { Matrix } from './matrix.js';

/** Input tensors of one batch, which are allocated once and filled for each batch. */
export class Batch {
  /** B, the number of rows. */
  readonly size: number;
  readonly #features: Readonly<Record<string, Float32Array>>;
  readonly #labels: Float32Array;
  readonly #weights: Float32Array;
  readonly #rowWeights: Float32Array;

  /** @param manifest - manifest of the model. */
  constructor(manifest: Manifest) {
    const { batch_size: size, features, classes, weights_per_output: perOutput } = manifest;
    this.size = size;
    this.#features = Object.fromEntries(
      features.map(({ shape }, i) => [
        numbered(FEATURES, i),
        new Float32Array(size * volume(shape)),
      ]),
    );
    this.#labels = new Float32Array(size * classes.length);
    this.#weights = new Float32Array(size * (perOutput ? classes.length : 1));
    this.#rowWeights = new Float32Array(size);
  }

  /**
   * Return the inputs `features`, `labels` and `sample_weights` of `train` and `evaluate`.
   *
   * @param dataset - N rows.
   * @param rows - indices of at most B rows. Further rows of the batch are 0, and so are rows of
   *   samples that were deleted from the store, except their labels.
   */
  labelledInputs(dataset: Dataset, rows: ArrayLike<number>): Record<string, Float32Array> {
    const { features, targets, weights } = dataset;
    fill(this.#labels, targets, rows);
    fill(this.#weights, weights, rows);
    if (features instanceof StoredFeatures) {
      const batch = features.read(rows);
      this.#fillFeatures(batch.features, range(rows.length));
      for (const row of indicesOf(batch.isStored, (isStored) => !isStored)) {
        this.#weights.fill(0, row * weights.columns, (row + 1) * weights.columns);
      }
    } else {
      this.#fillFeatures(features, rows);
    }
    return { ...this.#features, [LABELS]: this.#labels, [SAMPLE_WEIGHTS]: this.#weights };
  }

  /**
   * Return the inputs `features` and `sample_weights` of `set_class`.
   *
   * @param features - at most B rows of each features tensor.
   */
  classInputs(features: readonly Matrix[]): Record<string, Float32Array> {
    const rows = range(features[0]?.rows ?? 0);
    this.#rowWeights.fill(0).fill(1, 0, rows.length);
    this.#fillFeatures(features, rows);
    return { ...this.#features, [SAMPLE_WEIGHTS]: this.#rowWeights };
  }

  #fillFeatures(features: readonly Matrix[], rows: ArrayLike<number>): void {
    features.forEach((matrix, i) => {
      fill(this.#features[numbered(FEATURES, i)] as Float32Array, matrix, rows);
    });
  }
}

/**
 * Evaluate a model on a data set, batch by batch.
 *
 * @param engine - engine that holds the model; its variables do not change.
 * @param batch - input tensors to use.
 * @param dataset - N rows, N at least 1.
 * @returns the weighted mean of the loss, and the outputs [N, C].
 */
export async function evaluateBatches(
  engine: Engine,
  batch: Batch,
  dataset: Dataset,
): Promise<{ loss: number; outputs: Matrix }> {
  const { targets, weights } = dataset;
  const outputs = Matrix.filled(dataset.rows, targets.columns);
  let loss = 0;
  for (let start = 0; start < dataset.rows; start += batch.size) {
    const end = Math.min(start + batch.size, dataset.rows);
    const rows = range(end - start).map((row) => start + row);
    const inputs = batch.labelledInputs(dataset, rows);
    const part = inputs[SAMPLE_WEIGHTS]?.slice(0, rows.length * weights.columns) ?? [];
    const result = await engine.run('evaluate', inputs);
    loss += ((result[LOSS] as Float32Array)[0] as number) * sum(part);
    const values = (result[OUTPUT] as Float32Array).subarray(0, rows.length * targets.columns);
    outputs.data.set(values, start * targets.columns);
    await takeTurns();
  }
  return { loss: loss / sum(weights.data), outputs };
}

/** Return the name of one of several tensors: `features`, `features_1` and so on. */
export function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}_${index}`;
}

/** Return the number of values of a tensor. */
export function volume(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Copy rows of a matrix into the first rows of a batch, and set the others to 0. */
function fill(batch: Float32Array, matrix: Matrix, rows: ArrayLike<number>): void {
  for (let i = 0; i < rows.length; i += 1) {
    batch.set(matrix.row(rows[i] as number), i * matrix.columns);
  }
  batch.fill(0, rows.length * matrix.columns);
}
