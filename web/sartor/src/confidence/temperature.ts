/**
 * Temperature scaling: calibrated probabilities, fitted to held-out samples (Guo et al., 2017).
 *
 * All functions take probabilities, as a model file returns them. The logarithm of a softmax output
 * is its logits, up to a constant per row, which the softmax ignores.
 */

import { Matrix } from '../data/matrix.js';
import {
  argmax,
  clamp,
  deviation,
  largest,
  mean,
  range,
  sortedBy,
  split,
  sum,
} from '../numbers.js';
import { takeTurns } from '../turns.js';

const DEFAULT_FRACTION = 0.4; // of the standard deviation of the logits
const PRIOR_SAMPLES = 16; // weight of the prior temperature: a standard deviation of a quarter
const SEARCH_RANGE = 6; // of ln(prior / temperature)
const BISECTIONS = 32;
const ROWS_PER_TURN = 1024;
const BINS = 15; // of the expected calibration error, at most
const MIN_BIN = 5; // samples
const TINY = 2 ** -126; // outputs in float32 are at least this
const NEARLY_ONE = 1 - 2 ** -24;
const SMALLEST_SUM = 1e-30;

/** Held-out outputs at temperature 1, with their targets. */
export interface LabelledOutputs {
  /** Outputs [N, C]; columns of masked classes are 0. */
  readonly outputs: Matrix;
  /** Targets [N, C], 0…1. */
  readonly targets: Matrix;
  /** Number of samples that each row [N, 1] or output [N, C] counts as. */
  readonly weights: Matrix;
  /** Whether the outputs are independent (sigmoids); otherwise they are a softmax. */
  readonly isIndependent: boolean;
}

/**
 * Return a temperature that needs no held-out samples: at it, the centered logits have a standard
 * deviation of 2.5.
 *
 * @param outputs - outputs [N, C] for the training samples, or for the mean of each class; columns
 *   of masked classes are 0.
 * @param temperature - temperature of these outputs. Default: 1.
 * @returns a temperature above 0; 1 for a single class or a uniform output.
 */
export function defaultTemperature(outputs: Matrix, temperature = 1): number {
  const spread = temperature * logitDeviation(outputs);
  return spread > 0 ? DEFAULT_FRACTION * spread : 1;
}

/**
 * Return the standard deviation of the logits of a softmax, each row centered on its mean.
 *
 * @param outputs - outputs [N, C]; columns of masked classes are 0.
 * @returns the deviation; 0 for a single class.
 */
function logitDeviation(outputs: Matrix): number {
  const columns = activeColumns(outputs);
  if (columns.length < 2) {
    return 0;
  }
  const centered = range(outputs.rows).flatMap((row) => {
    const logits = columns.map((column) => logit(outputs.at(row, column), false));
    const center = mean(logits);
    return logits.map((each) => each - center);
  });
  return deviation(centered);
}

/**
 * Fit the temperature to held-out samples, by maximum a posteriori (MAP) estimation.
 *
 * The likelihood is that of the targets at temperature T (Guo et al., 2017). The prior of 1/T is a
 * Gamma distribution of shape 16 with its mode at 1/prior, so that few samples change the
 * temperature little. The negative log posterior is convex in 1/T; bisection finds its minimum.
 *
 * @param samples - held-out samples; there may be none.
 * @param prior - temperature without any samples, above 0; see `defaultTemperature`.
 * @returns a temperature above 0.
 */
export async function fitTemperature(samples: LabelledOutputs, prior: number): Promise<number> {
  const rows = labelledRows(samples);
  if (rows.length === 0) {
    return prior;
  }
  const slopeOfRow = samples.isIndependent ? sigmoidSlope : softmaxSlope;
  // the derivative of the negative log posterior with respect to 1/T
  const slope = async (inverse: number) => {
    let total = PRIOR_SAMPLES * (prior - 1 / inverse);
    for (const { start, end } of split(rows.length, Math.ceil(rows.length / ROWS_PER_TURN))) {
      total += sum(rows.slice(start, end).map((row) => slopeOfRow(row, inverse)));
      await takeTurns();
    }
    return total;
  };
  let [low, high] = [-SEARCH_RANGE, SEARCH_RANGE];
  for (let i = 0; i < BISECTIONS; i += 1) {
    const middle = (low + high) / 2;
    const isAbove = (await slope(Math.exp(middle) / prior)) > 0;
    [low, high] = isAbove ? [low, middle] : [middle, high];
  }
  return prior * Math.exp(-(low + high) / 2);
}

/**
 * Return the weighted mean of the cross-entropy at a temperature.
 *
 * @param samples - held-out samples, with weights that are not all 0.
 * @param temperature - temperature above 0.
 */
export function logLoss(samples: LabelledOutputs, temperature: number): number {
  const losses = labelledRows(samples).map(({ logits, targets, weights }) => {
    const scaled = logits.map((each) => each / temperature);
    if (samples.isIndependent) {
      return sum(scaled.map((z, i) => at(weights, i) * (softplus(z) - at(targets, i) * z)));
    }
    const loss = logSumExp(scaled) - sum(scaled.map((z, i) => at(targets, i) * z));
    return at(weights, 0) * loss;
  });
  return sum(losses) / sum(samples.weights.data);
}

/**
 * Return the outputs of a softmax at another temperature.
 *
 * @param outputs - outputs [N, C] at temperature 1; columns of masked classes are 0.
 * @param temperature - temperature above 0.
 * @returns outputs [N, C]; zeros stay zero.
 */
export function applyTemperature(outputs: Matrix, temperature: number): Matrix {
  const result = Matrix.filled(outputs.rows, outputs.columns);
  for (let row = 0; row < outputs.rows; row += 1) {
    const values = Array.from(outputs.row(row));
    const highest = Math.max(largest(values), TINY);
    const powers = values.map((value) => (value / highest) ** (1 / temperature));
    const total = Math.max(sum(powers), SMALLEST_SUM);
    result.row(row).set(powers.map((power) => power / total));
  }
  return result;
}

/**
 * Return the expected calibration error (ECE): the mean gap of confidence and accuracy.
 *
 * The samples are sorted by confidence and split into at most 15 bins of equal numbers of samples
 * (Nguyen and O'Connor, 2015). The ECE of a perfectly calibrated model is above 0 by chance, so
 * compare values for equal N only.
 *
 * @param outputs - outputs [N, C] for samples that were not used in training; N at least 1.
 * @param targets - targets [N, C]; the true class of a row is that of its largest target.
 * @returns 0 (calibrated) … 1.
 */
export function expectedCalibrationError(outputs: Matrix, targets: Matrix): number {
  const rows = range(outputs.rows);
  const confidence = rows.map((row) => largest(outputs.row(row)));
  const gaps = sortedBy(rows, (row) => at(confidence, row)).map((row) => {
    const isCorrect = argmax(outputs.row(row)) === argmax(targets.row(row));
    return at(confidence, row) - (isCorrect ? 1 : 0);
  });
  const bins = clamp(Math.floor(rows.length / MIN_BIN), 1, BINS);
  const errors = split(rows.length, bins).map(({ start, end }) => {
    return Math.abs(sum(gaps.slice(start, end)));
  });
  return sum(errors) / rows.length;
}

interface LabelledRow {
  readonly logits: number[];
  readonly targets: number[];
  readonly weights: number[];
}

/** Return the logits, targets and weights of each row, of the active classes. */
function labelledRows({
  outputs,
  targets,
  weights,
  isIndependent,
}: LabelledOutputs): LabelledRow[] {
  const active = new Set([...activeColumns(outputs), ...activeColumns(targets)]);
  const columns = [...active].sort((a, b) => a - b);
  return range(outputs.rows).map((row) => ({
    logits: columns.map((column) => logit(outputs.at(row, column), isIndependent)),
    targets: columns.map((column) => targets.at(row, column)),
    weights: columns.map((column) => weights.at(row, weights.columns > 1 ? column : 0)),
  }));
}

/** Return the columns with a value above 0. */
function activeColumns(matrix: Matrix): number[] {
  return range(matrix.columns).filter((column) => {
    return range(matrix.rows).some((row) => matrix.at(row, column) > 0);
  });
}

/** Return the logit of an output; of a softmax, up to a constant per row. */
function logit(output: number, isIndependent: boolean): number {
  const p = clamp(output, TINY, NEARLY_ONE);
  return Math.log(isIndependent ? p / (1 - p) : p);
}

/** Return the derivative of the loss of a row of a softmax with respect to 1/T. */
function softmaxSlope({ logits, targets, weights }: LabelledRow, inverse: number): number {
  const highest = largest(logits);
  const power = (i: number) => Math.exp(inverse * (at(logits, i) - highest));
  let total = 0;
  for (let i = 0; i < logits.length; i += 1) {
    total += power(i);
  }
  let slope = 0;
  for (let i = 0; i < logits.length; i += 1) {
    slope += at(weights, i) * (power(i) / total - at(targets, i)) * at(logits, i);
  }
  return slope;
}

/** Return the derivative of the loss of a row of sigmoids with respect to 1/T. */
function sigmoidSlope({ logits, targets, weights }: LabelledRow, inverse: number): number {
  let slope = 0;
  for (let i = 0; i < logits.length; i += 1) {
    const output = 0.5 * (1 + Math.tanh(0.5 * inverse * at(logits, i)));
    slope += at(weights, i) * (output - at(targets, i)) * at(logits, i);
  }
  return slope;
}

function softplus(logit: number): number {
  return Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit)));
}

function logSumExp(logits: readonly number[]): number {
  const highest = largest(logits);
  return highest + Math.log(sum(logits.map((each) => Math.exp(each - highest))));
}

function at(values: readonly number[], index: number): number {
  return values[index] as number;
}
