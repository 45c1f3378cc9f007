/** A data set: the features, targets and weights of samples, by class index. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import { groupBy, range, sortedBy, sum } from '../numbers.js';
import { RandomNumbers } from '../random_numbers.js';
import type { SampleSet } from '../store/sample_set.js';
import { type Features, inMemory, takeRows } from '../store/stored_features.js';
import { Matrix } from './matrix.js';
import { rowClasses, TASKS } from './tasks.js';

/** Class name → class index. */
export type ClassIndices = ReadonlyMap<string, number>;

/** Samples: N rows, one for each sample and each of its augmentations. */
export class Dataset {
  /**
   * @param features - values of each features tensor; those in a store are read in batches.
   * @param targets - targets [N, C]; 0 where a target is missing.
   * @param weights - weights [N, 1], or [N, C] if `Manifest.weights_per_output`; 0 where a target
   *   is missing.
   * @param samples - number of the sample of each row, [N].
   * @param fractions - 1 / (number of rows of the sample) of each row, [N].
   */
  constructor(
    readonly features: Features,
    readonly targets: Matrix,
    readonly weights: Matrix,
    readonly samples: readonly number[],
    readonly fractions: Float64Array,
  ) {}

  /** Number of rows. */
  get rows(): number {
    return this.samples.length;
  }

  /** Number of samples. */
  get sampleCount(): number {
    return new Set(this.samples).size;
  }

  /** Class of each row: the index of its largest target. */
  get classes(): number[] {
    return rowClasses(this.targets);
  }

  /** Numbers of all features. */
  get size(): number {
    return sum(inMemory(this.features).map((each) => each.data.length));
  }

  /** Return the rows with other targets, [N, C]. */
  withTargets(targets: Matrix): Dataset {
    return new Dataset(this.features, targets, this.weights, this.samples, this.fractions);
  }

  /**
   * Effective number of samples, `(Σ w)² / Σ w²` over the weights of the samples (Kish, 1965).
   *
   * It is below the number of samples if classes are imbalanced. With weights per output, it is the
   * number of samples.
   */
  get effectiveSampleSize(): number {
    if (this.weights.columns > 1) {
      return this.sampleCount;
    }
    const bySample = groupBy(range(this.rows), (row) => this.samples[row] as number);
    const weights = [...bySample.values()].map((rows) => {
      return sum(rows.map((row) => this.weights.at(row, 0)));
    });
    return sum(weights) ** 2 / sum(weights.map((weight) => weight ** 2));
  }

  /** Root mean square of the present targets; 1 if all are 0. */
  get targetRms(): number {
    const isPresent = this.weights.columns > 1;
    const targets = this.targets.data.filter((_, i) => {
      return !isPresent || (this.weights.data[i] as number) > 0;
    });
    return Math.sqrt(sum(Float64Array.from(targets, (y) => y ** 2)) / targets.length) || 1;
  }

  /** Return some of the rows. */
  take(rows: readonly number[]): Dataset {
    return new Dataset(
      takeRows(this.features, rows),
      this.targets.take(rows),
      this.weights.take(rows),
      rows.map((row) => this.samples[row] as number),
      Float64Array.from(rows, (row) => this.fractions[row] as number),
    );
  }

  /**
   * Draw mixed rows: at random, in equal numbers from all classes as far as possible.
   *
   * @param count - largest number of rows.
   * @param seed - seed of the draw.
   * @returns indices of at most `count` rows, without repetition.
   */
  mixedRows(count: number, seed: number): number[] {
    const order = new RandomNumbers(seed).permutation(this.rows);
    const classes = this.classes;
    const numbers = new Uint32Array(this.rows); // of each row, within its class
    for (const rows of groupBy(order, (row) => classes[row] as number).values()) {
      rows.forEach((row, number) => {
        numbers[row] = number;
      });
    }
    return sortedBy(order, (row) => numbers[row] as number).slice(0, count);
  }
}

/**
 * Create the data set of stored samples.
 *
 * @param manifest - manifest of the model.
 * @param samples - samples of the store.
 * @param classIndices - class name → class index, for at least the classes of `samples`.
 */
export function trainingDataset(
  manifest: Manifest,
  samples: SampleSet,
  classIndices: ClassIndices,
): Dataset {
  const targets = Matrix.filled(samples.targets.rows, manifest.classes.length, Number.NaN);
  samples.classes.forEach((name, column) => {
    const index = classIndices.get(name) as number;
    for (let row = 0; row < targets.rows; row += 1) {
      targets.row(row)[index] = samples.targets.at(row, column);
    }
  });
  const fractions = sampleFractions(samples.samples);
  const weights = TASKS[manifest.task].weights(targets, fractions);
  targets.data.forEach((target, i) => {
    targets.data[i] = target || 0; // NaN becomes 0
  });
  return new Dataset(samples.features, targets, weights, samples.samples, fractions);
}

/** Create a data set for prediction: all targets are 0, all weights are 1. */
export function unlabelledDataset(manifest: Manifest, features: readonly Matrix[]): Dataset {
  const rows = features[0]?.rows ?? 0;
  const classes = manifest.classes.length;
  const weights = Matrix.filled(rows, manifest.weights_per_output ? classes : 1, 1);
  const fractions = new Float64Array(rows).fill(1);
  return new Dataset(features, Matrix.filled(rows, classes), weights, range(rows), fractions);
}

/** Return 1 / (number of rows of its sample) for each row. */
function sampleFractions(samples: readonly number[]): Float64Array {
  const counts = new Map<number, number>();
  for (const sample of samples) {
    counts.set(sample, (counts.get(sample) ?? 0) + 1);
  }
  return Float64Array.from(samples, (sample) => 1 / (counts.get(sample) as number));
}
