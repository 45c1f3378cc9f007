/** Cross-validation: the temperature, the OOD detector and the accuracy on held-out samples. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import type { Dataset } from '../data/dataset.js';
import { Matrix } from '../data/matrix.js';
import { accuracy, TASKS } from '../data/tasks.js';
import { indicesOf } from '../numbers.js';
import { inMemory } from '../store/stored_features.js';
import { expectedAccuracy } from './expected_accuracy.js';
import { assignFolds, NO_FOLD } from './folds.js';
import { OODDetector } from './out_of_distribution.js';
import {
  applyTemperature,
  defaultTemperature,
  expectedCalibrationError,
  fitTemperature,
  type LabelledOutputs,
  logLoss,
} from './temperature.js';

const MOST_ROWS = 400; // above, one fold is enough, and a third of the time
const MOST_NUMBERS = 2 ** 20; // of all features; above, each fold takes seconds

/** Outputs for held-out rows. */
export class HeldOutOutputs {
  /** Fold of each row, [N]; `NO_FOLD` if it was not held out. */
  readonly folds: number[];
  /**
   * Output [N, C] for each held-out row, at temperature 1, from a model that was trained without
   * its fold. 0 for the other rows.
   */
  readonly outputs: Matrix;

  /** @param dataset - N rows, none of which is held out yet. */
  constructor(dataset: Dataset) {
    this.folds = dataset.samples.map(() => NO_FOLD);
    this.outputs = Matrix.filled(dataset.rows, dataset.targets.columns);
  }

  /** Indices of the held-out rows. */
  get rows(): number[] {
    return indicesOf(this.folds, (fold) => fold >= 0);
  }

  /** Set the outputs for the rows of a fold. */
  set(fold: number, rows: readonly number[], outputs: Matrix): void {
    rows.forEach((row, i) => {
      this.folds[row] = fold;
      this.outputs.row(row).set(outputs.row(i));
    });
  }

  /** Return the outputs of some of the rows, which are those of `dataset`. */
  take(rows: readonly number[], dataset: Dataset): HeldOutOutputs {
    const part = new HeldOutOutputs(dataset);
    rows.forEach((row, i) => {
      part.folds[i] = this.folds[row] as number;
      part.outputs.row(i).set(this.outputs.row(row));
    });
    return part;
  }

  /** Return the accuracy on the held-out rows, over outputs of a weight above 0. */
  accuracy(manifest: Manifest, dataset: Dataset): number {
    const rows = this.rows;
    const [outputs, targets] = [this.outputs.take(rows), dataset.targets.take(rows)];
    return accuracy(TASKS[manifest.task], outputs, targets, dataset.weights.take(rows));
  }

  /** Return the mean log loss of the held-out rows at the best temperature. */
  async loss(manifest: Manifest, dataset: Dataset): Promise<number> {
    const samples = this.labelled(manifest, dataset);
    return logLoss(samples, await fitTemperature(samples, 1));
  }

  /** Return the outputs of the held-out rows with their targets; each sample counts once. */
  labelled(manifest: Manifest, dataset: Dataset): LabelledOutputs {
    const rows = this.rows;
    const isIndependent = manifest.weights_per_output;
    const fractions = new Matrix(Float32Array.from(dataset.fractions), 1);
    return {
      outputs: this.outputs.take(rows),
      targets: dataset.targets.take(rows),
      weights: (isIndependent ? dataset.weights : fractions).take(rows),
      isIndependent,
    };
  }
}

/** The result of a cross-validation. */
export interface CrossValidation {
  /** Temperature of the model, above 0. */
  readonly temperature: number;
  /** OOD detector; undefined for several labels per sample, or too few samples. */
  readonly oodDetector: OODDetector | undefined;
  /**
   * Expected accuracy, from that on held-out samples, 0…1; undefined if no sample was held out, or
   * if there is one class only.
   */
  readonly accuracy: number | undefined;
  /**
   * Expected calibration error on held-out samples at `temperature`, 0…1; undefined where
   * `accuracy` is, or for several labels per sample.
   */
  readonly calibrationError: number | undefined;
  /** Whether a class has two samples that are not near-duplicates. */
  readonly canHoldOut: boolean;
  /** Indices of the classes with held-out samples. */
  readonly heldOutClasses: ReadonlySet<number>;
}

/**
 * Assign the rows of a data set to three folds; see `assignFolds`.
 *
 * Of more than 400 rows, or more than 2²⁰ numbers (as 32 rows of 40,000 features), only the first
 * fold is held out.
 *
 * @param dataset - N rows.
 * @param groups - group of each row, [N]; rows of one group are held out together. See
 *   `groupNearDuplicates`.
 * @param seed - seed of the assignment.
 * @returns the fold of each row, [N]; `NO_FOLD` for a row that is never held out.
 */
export function assignValidationFolds(
  dataset: Dataset,
  groups: readonly number[],
  seed: number,
): number[] {
  const folds = assignFolds(dataset.classes, groups, seed);
  const isLarge = dataset.rows > MOST_ROWS || dataset.size > MOST_NUMBERS;
  return isLarge ? folds.map((fold) => (fold > 0 ? NO_FOLD : fold)) : folds;
}

/**
 * Fit the temperature and the OOD detector to held-out outputs, and measure the accuracy.
 *
 * If no row was held out, the result has the default temperature and no accuracy.
 *
 * @param manifest - manifest of the model, not that of a regression.
 * @param dataset - N rows, all training data.
 * @param assigned - folds as `assignValidationFolds` returns them, [N].
 * @param heldOut - outputs for the rows of the folds whose training was completed.
 * @param outputs - outputs [N, C] of the model that was trained on all rows, at temperature 1.
 * @param heldOutFeatures - N rows of each features tensor, from tuned layers that were trained
 *   without the held-out rows. Default: the features of the data set.
 */
export async function crossValidate(
  manifest: Manifest,
  dataset: Dataset,
  assigned: readonly number[],
  heldOut: HeldOutOutputs,
  outputs: Matrix,
  heldOutFeatures?: readonly Matrix[],
): Promise<CrossValidation> {
  const { rows } = heldOut;
  const { classes, targets } = dataset;
  const prior = defaultTemperature(outputs);
  const isHeldOut = rows.length > 0;
  const temperature = await fitTemperature(heldOut.labelled(manifest, dataset), prior);
  const hasAccuracy = isHeldOut && (manifest.weights_per_output || new Set(classes).size > 1);
  const expected = hasAccuracy ? accuracyOfAll(manifest, dataset, heldOut) : undefined;
  const calibrated = isHeldOut ? applyTemperature(heldOut.outputs, temperature) : undefined;
  const isSingle = !manifest.weights_per_output;
  const detector = isSingle
    ? await OODDetector.fit(
        heldOutFeatures ?? inMemory(dataset.features),
        classes,
        isHeldOut ? heldOut.folds : assigned,
        calibrated,
      )
    : undefined;
  return {
    temperature,
    oodDetector: heldOutFeatures
      ? await detector?.withFeatures(inMemory(dataset.features), classes)
      : detector,
    accuracy: expected,
    calibrationError:
      isSingle && calibrated !== undefined && expected !== undefined
        ? expectedCalibrationError(calibrated.take(rows), targets.take(rows))
        : undefined,
    canHoldOut: assigned.some((fold) => fold >= 0),
    heldOutClasses: new Set(
      rows.flatMap((row) => indicesOf(targets.row(row), (target) => target > 0)),
    ),
  };
}

/** Return the expected accuracy of the model of all rows, from that on the held-out rows. */
function accuracyOfAll(manifest: Manifest, dataset: Dataset, heldOut: HeldOutOutputs): number {
  const { rows, folds } = heldOut;
  const count = new Set(rows.map((row) => folds[row])).size;
  const fraction = 1 - rows.length / dataset.rows / count;
  return expectedAccuracy(heldOut.accuracy(manifest, dataset), fraction);
}
