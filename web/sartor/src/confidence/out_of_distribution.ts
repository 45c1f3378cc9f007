/**
 * Out-of-distribution (OOD) detection: the answer "none of these".
 *
 * There are no examples of OOD inputs. So the detector is fitted to the scores of training samples
 * that were held out. The score combines the Mahalanobis cosine similarity to the class prototypes
 * with the negative entropy of the output. A prediction needs a few prototypes and directions, and
 * no stored samples.
 */

import {
  OOD_CLASS_INDICES,
  OOD_DIRECTIONS,
  OOD_PROTOTYPES,
  OOD_STATISTICS,
} from '../../../../contract/generated/contract.js';
import { Matrix } from '../data/matrix.js';
import { CheckpointError } from '../errors.js';
import { deviation, dot, indicesOf, mean, range, sum } from '../numbers.js';
import { takeTurns } from '../turns.js';
import { heldOutParts, heldOutSimilarities, withinClassSimilarity } from './held_out.js';
import {
  classPrototypes,
  largestProduct,
  type Prototypes,
  prototypeLength,
  scaleToLength,
  unitFeatures,
} from './prototypes.js';
import { WithinClassMetric } from './within_class_metric.js';

const ENTROPY_FRACTION = 1.3; // of the spread of the score
const ENTROPY_SAMPLES = 80; // the more rows, the better is the output
const LEAST_ENTROPY_DEVIATION = 0.25; // nats
const LARGEST_PROTOTYPE = 5; // their length is at most √(1 / 0.05), see classPrototypes
const SMALLEST_OUTPUT = 1e-30;

/** The parameters of a detector. */
export interface DetectorParameters {
  readonly prototypes: Prototypes;
  /** r, the weight of the negative entropy, at least 0. */
  readonly entropyWeight: number;
  /** ρ, the mean cosine similarity of two held-out rows of a class. */
  readonly similarity: number;
  /** An input with a score below it is out-of-distribution. */
  readonly threshold: number;
  /** Metric of the similarities. */
  readonly metric: WithinClassMetric;
}

/**
 * A detector of out-of-distribution inputs.
 *
 * The score is `s + r · h`. `s` is the largest cosine similarity of a prototype and the features in
 * a metric, times the length of the prototype. `h = Σ p · ln p` is the negative entropy of the
 * output.
 */
export class OODDetector {
  #transformed: Matrix | undefined; // prototypes in the metric, for all predictions

  constructor(readonly parameters: DetectorParameters) {}

  /**
   * Fit a detector to training samples.
   *
   * `r` is `1.3 m / (m + 80)` times the standard deviation of `s`, divided by that of `h`, or by
   * 0.25 if that is lower, on the m held-out rows. The threshold is the score that 5 % of them are
   * below (a whole number of rows, rounded down), minus `(1 − mean of s) / m`: few rows lack the
   * lowest scores.
   *
   * If no row is held out, each row is compared with the other classes, in the plain metric. Then
   * `r` is 0, and nothing is subtracted.
   *
   * @param features - N rows of each features tensor.
   * @param classes - class index of each row, [N].
   * @param folds - fold of each row, [N]; below 0 if it is not held out.
   * @param outputs - outputs [N, C] for the held-out rows from models that were trained without
   *   their fold, at the temperature of the model; undefined if no row is held out.
   * @returns the detector; undefined if there is one class and no row is held out.
   */
  static async fit(
    features: readonly Matrix[],
    classes: readonly number[],
    folds: readonly number[],
    outputs: Matrix | undefined,
  ): Promise<OODDetector | undefined> {
    const rows = unitFeatures(features);
    await takeTurns();
    const parts = await heldOutParts(rows, classes, folds);
    const similarity = await withinClassSimilarity(rows, classes, parts);
    const heldOut = await heldOutSimilarities(rows, classes, parts, similarity);
    let scores = heldOut.similarities;
    let entropyWeight = 0;
    let margin = 0;
    let metric = WithinClassMetric.plain(rows.columns);
    if (scores.length > 0) {
      const most = parts[0]?.others.length; // as in the parts, so that scores are comparable
      metric = await WithinClassMetric.fit(rows, classes, most);
      margin = (1 - mean(scores)) / scores.length;
      if (outputs !== undefined) {
        const entropies = heldOut.rows.map((row) => negativeEntropy(outputs.row(row)));
        entropyWeight = weightOfEntropy(scores, entropies);
        scores = scores.map((score, i) => score + entropyWeight * (entropies[i] as number));
      }
    } else if (new Set(classes).size > 1) {
      scores = await similaritiesBetweenClasses(rows, classes);
    } else {
      return undefined;
    }
    const place = Math.floor(scores.length / 20); // 5 % are below
    const threshold = (Float64Array.from(scores).sort()[place] as number) - margin;
    const prototypes = await classPrototypes(rows, classes, similarity);
    return new OODDetector({ prototypes, entropyWeight, similarity, threshold, metric });
  }

  /** An input with a score below the threshold is out-of-distribution. */
  get threshold(): number {
    return this.parameters.threshold;
  }

  /**
   * Return the score of one input: the lower, the less it is like the training samples.
   *
   * @param features - one row of each features tensor, as `infer` returns them.
   * @param output - output of `infer`, [C].
   */
  score(features: readonly Matrix[], output: Float32Array): number {
    const { prototypes, entropyWeight, metric } = this.parameters;
    this.#transformed ??= metric.transform(prototypes.rows);
    const row = unitFeatures(features).row(0);
    const similarity = largestProduct(row, this.#transformed) / metric.norm(row);
    return similarity + entropyWeight * negativeEntropy(output);
  }

  /**
   * Return whether the score of one input reaches the threshold; see `score`.
   *
   * If it does not, the answer is "none of these".
   */
  isInDistribution(features: readonly Matrix[], output: Float32Array): boolean {
    return this.score(features, output) >= this.threshold;
  }

  /**
   * Return a detector with the prototypes and the metric of other features of the training samples.
   *
   * @param features - N rows of each features tensor.
   * @param classes - class index of each row, [N].
   */
  async withFeatures(
    features: readonly Matrix[],
    classes: readonly number[],
  ): Promise<OODDetector> {
    const { similarity } = this.parameters;
    const count = this.parameters.metric.directions.rows;
    const rows = unitFeatures(features);
    const prototypes = await classPrototypes(rows, classes, similarity);
    const metric = count
      ? await WithinClassMetric.fit(rows, classes, count)
      : WithinClassMetric.plain(rows.columns);
    return new OODDetector({ ...this.parameters, prototypes, metric });
  }

  /**
   * Return a detector with the prototype of a class added or replaced.
   *
   * @param index - class index.
   * @param features - one row of each features tensor: the mean of the samples of the class.
   * @param count - number of rows of the class.
   */
  withClass(index: number, features: readonly Matrix[], count: number): OODDetector {
    const { similarity } = this.parameters;
    const prototype = unitFeatures(features);
    scaleToLength(prototype.row(0), prototypeLength(similarity, count));
    const others = this.#prototypesWithout(index);
    return this.#withPrototypes({
      rows: Matrix.stack([others.rows, prototype]),
      classes: [...others.classes, index],
    });
  }

  /** Return a detector without the prototypes of a class; undefined if no class is left. */
  withoutClass(index: number): OODDetector | undefined {
    const others = this.#prototypesWithout(index);
    return others.classes.length > 0 ? this.#withPrototypes(others) : undefined;
  }

  /** Return the tensors of a checkpoint; the threshold is in its header. */
  toTensors(): Record<string, Float32Array> {
    const { prototypes, entropyWeight, similarity, metric } = this.parameters;
    const { directions } = metric;
    return {
      [OOD_PROTOTYPES]: prototypes.rows.data,
      [OOD_CLASS_INDICES]: Float32Array.from(prototypes.classes),
      [OOD_STATISTICS]: Float32Array.of(entropyWeight, similarity),
      ...(directions.rows > 0 && { [OOD_DIRECTIONS]: directions.data }),
    };
  }

  /**
   * Create a detector from the tensors of a checkpoint.
   *
   * @param tensors - name → tensor; see `toTensors`.
   * @param threshold - threshold of the score.
   * @param size - F, the number of values of all features tensors of the model.
   * @param capacity - C, the number of class indices of the checkpoint.
   * @throws CheckpointError if a tensor is missing, has another size, or a wrong class index.
   */
  static fromTensors(
    tensors: Readonly<Record<string, Float32Array>>,
    threshold: number,
    size: number,
    capacity: number,
  ): OODDetector {
    const [prototypes, indices, statistics] = [
      OOD_PROTOTYPES,
      OOD_CLASS_INDICES,
      OOD_STATISTICS,
    ].map((name) => tensors[name] ?? new Float32Array()) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    if (!indices.length || prototypes.length !== indices.length * size || statistics.length !== 2) {
      const sizes = Object.entries(tensors).map(([name, { length }]) => `${name} [${length}]`);
      throw new CheckpointError(
        `expected ${OOD_PROTOTYPES} [R × ${size}], ${OOD_CLASS_INDICES} [R] and ` +
          `${OOD_STATISTICS} [2], got ${sizes.join(', ') || 'none of them'}: the checkpoint is damaged`,
      );
    }
    if (!indices.every((index) => Number.isInteger(index) && index >= 0 && index < capacity)) {
      throw new CheckpointError(
        `${OOD_CLASS_INDICES} has other values than the indices of ${capacity} classes: the ` +
          'checkpoint is damaged',
      );
    }
    if (!prototypes.every((value) => Math.abs(value) <= LARGEST_PROTOTYPE)) {
      throw new CheckpointError(
        `${OOD_PROTOTYPES} has values above ${LARGEST_PROTOTYPE}: the checkpoint is damaged`,
      );
    }
    return new OODDetector({
      prototypes: { rows: new Matrix(prototypes, size), classes: Array.from(indices) },
      entropyWeight: statistics[0] as number,
      similarity: statistics[1] as number,
      threshold,
      metric: WithinClassMetric.fromTensor(tensors[OOD_DIRECTIONS], size),
    });
  }

  #prototypesWithout(index: number): Prototypes {
    const { rows, classes } = this.parameters.prototypes;
    const others = indicesOf(classes, (each) => each !== index);
    return { rows: rows.take(others), classes: others.map((i) => classes[i] as number) };
  }

  #withPrototypes(prototypes: Prototypes): OODDetector {
    return new OODDetector({ ...this.parameters, prototypes });
  }
}

/** Return `Σ p · ln p` of an output: 0 for a certain class, −ln C for a uniform output. */
function negativeEntropy(output: Float32Array): number {
  return sum(Float64Array.from(output, (p) => p * Math.log(Math.max(p, SMALLEST_OUTPUT))));
}

/** Return the cosine similarity of each row to the nearest row of another class, [N]. */
async function similaritiesBetweenClasses(
  rows: Matrix,
  classes: readonly number[],
): Promise<number[]> {
  const result: number[] = [];
  for (const row of range(rows.rows)) {
    const others = indicesOf(classes, (each) => each !== classes[row]);
    const products = others.map((other) => dot(rows.row(row), rows.row(other)));
    result.push(products.reduce((highest, each) => Math.max(highest, each), -1));
    await takeTurns();
  }
  return result;
}

/**
 * Return r.
 *
 * If classes are so well separated that all held-out outputs are nearly certain, their tiny
 * entropies must not decide.
 */
function weightOfEntropy(similarities: readonly number[], entropies: readonly number[]): number {
  const count = similarities.length;
  const fraction = (ENTROPY_FRACTION * count) / (count + ENTROPY_SAMPLES);
  const spread = Math.max(deviation(entropies), LEAST_ENTROPY_DEVIATION);
  return (fraction * deviation(similarities)) / spread;
}
