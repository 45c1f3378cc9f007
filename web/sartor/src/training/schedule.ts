/** The learning-rate schedule, and the default learning rate. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import { clamp, dot, largest, mean, sum } from '../numbers.js';

/** Name of a decay → learning rate relative to the peak, by the progress of the training, 0…1. */
export const DECAYS = {
  cosine: (progress: number) => 0.5 * (1 + Math.cos(Math.PI * progress)),
  linear: (progress: number) => 1 - progress,
  constant: () => 1,
} as const satisfies Readonly<Record<string, (progress: number) => number>>;

/** Decay of the learning rate: half a cosine to 0, linear to 0, or constant. */
export type Decay = keyof typeof DECAYS;

const STABLE_FRACTION = 0.5; // of the largest stable learning rate
const CLASSES = { few: 16, many: 32 } as const; // between them, the rate doubles
const LEAST_WEIGHT = 1e-6; // of a batch, see docs/contract.md

/** The learning rate of a training or of a stage of it, and its weight decay. */
export interface Schedule {
  /** Number of epochs, at least 1. */
  readonly epochs: number;
  /** Number of batches of an epoch, at least 1. */
  readonly batches: number;
  /** The largest learning rate, that of the first step. */
  readonly peak: number;
  readonly decay: Decay;
  /** Weight decay, at least 0; undefined keeps that of the model. */
  readonly weightDecay?: number | undefined;
}

/** Return the number of steps of a schedule, if it is not stopped. */
export function stepsOf(schedule: Schedule): number {
  return schedule.epochs * schedule.batches;
}

/**
 * Return the learning rate of a step.
 *
 * @param schedule - schedule of the stage.
 * @param progress - fraction of the stage before the step, 0…1: of the steps, or of the time if the
 *   time is limited.
 */
export function rateOf(schedule: Schedule, progress: number): number {
  return schedule.peak * DECAYS[schedule.decay](clamp(progress, 0, 1));
}

/** A batch of a training. */
export interface WeightedRows {
  /** Rows as the first layer of the head sees them, flat. */
  readonly rows: readonly Float64Array[];
  /** Weight of each row. */
  readonly weights: readonly number[];
}

/** What a learning rate is for. */
export interface RateBasis {
  /** Some batches, at least one. */
  readonly batches: readonly WeightedRows[];
  /** Number of active classes. */
  readonly outputs: number;
  /** Root mean square of the targets of a regression; 1 for the other tasks. */
  readonly magnitude: number;
}

/**
 * Return the default learning rate for a set of samples.
 *
 * Gradient descent is stable up to `stableRate / L`, where L is the curvature of the loss of a batch
 * by the weights: at most its curvature by a logit times the largest eigenvalue of the second
 * moments of the rows, with 1 for the bias. The default is half of that for up to 16 classes. With
 * more classes, each probability is smaller, and so is the curvature: from 32 classes on, the default
 * is that bound. The step of an adaptive optimizer changes each weight by the learning rate: the
 * default changes a logit by at most 1.
 */
export function defaultRate(manifest: Manifest, basis: RateBasis): number {
  const { batches, outputs, magnitude } = basis;
  if (manifest.optimizer.step.adaptive) {
    const sums = batches.flatMap(({ rows }) => rows.map((row) => sum(row.map(Math.abs))));
    return magnitude / (1 + mean(sums));
  }
  const active = manifest.weights_per_output ? outputs : 1; // the loss is the mean over these
  const factor = active * classFactor(manifest, outputs);
  const curvature = largest(batches.map(eigenvalueBound)) * manifest.loss.curvature;
  return (STABLE_FRACTION * stableRate(manifest) * factor) / curvature;
}

/**
 * Return the factor κ of the learning rate for many classes, 1 to 2.
 *
 * It is 1 for adaptive optimizers and other tasks.
 */
export function classFactor(manifest: Manifest, classes: number): number {
  const isHigher = manifest.task === 'classification' && !manifest.optimizer.step.adaptive;
  return isHigher ? clamp(classes, CLASSES.few, CLASSES.many) / CLASSES.few : 1;
}

/**
 * Return the largest stable learning rate of gradient descent at a curvature of 1.
 *
 * With momentum μ it is `2 (1 + μ)`, with Nesterov momentum `2 (1 + μ) / (1 + 2μ)`. The targets of
 * a regression have no bound, so that the error of one batch can grow in the next: there the
 * momentum must not make steps longer than those of plain gradient descent.
 */
export function stableRate(manifest: Manifest): number {
  const { momentum, nesterov } = manifest.optimizer.step;
  if (manifest.task === 'regression') {
    return 2 * (1 - momentum);
  }
  return (2 * (1 + momentum)) / (nesterov ? 1 + 2 * momentum : 1);
}

/**
 * Return an upper bound of the largest eigenvalue of the second moments of rows.
 *
 * The bound is the Frobenius norm of the moments, from the products of the rows.
 */
function eigenvalueBound({ rows, weights }: WeightedRows): number {
  const total = Math.max(sum(weights), LEAST_WEIGHT);
  let squares = 0;
  rows.forEach((row, i) => {
    rows.forEach((other, j) => {
      const product = 1 + dot(row, other);
      squares += (weights[i] as number) * (weights[j] as number) * product ** 2;
    });
  });
  return Math.sqrt(squares) / total;
}
