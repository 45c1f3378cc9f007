/**
 * The stages of a training: a regularization path from strong to weak weight decay.
 *
 * The best weight decay depends on the features and on the number of samples. So the training is a
 * path of stages (Friedman, Hastie & Tibshirani, 2010): each starts from the weights of the one
 * before, with an eighth of its weight decay. Cross-validation finds the stage to end at.
 */

import type { Manifest } from '../../../../contract/generated/contract.js';
import { clamp } from '../numbers.js';
import { isLimited, type TrainingConfig } from './config.js';
import { classFactor, type Schedule, stableRate } from './schedule.js';

/** The stages of a path. */
const PATH = {
  /** Weight decay times the number of samples, of each stage. */
  strengths: [2, 1 / 4, 1 / 32],
  minSteps: 96,
  maxSteps: 300,
  /** At most, divided by the factor of the learning rate for many classes. */
  classSteps: 500,
  /** Times samples / strength: weights with less effect decay more slowly. */
  steps: 0.1,
} as const;

/** A training of one stage. */
const SINGLE = { strength: 1, minSteps: 400, maxSteps: 4000, epochs: 60 } as const;

const SLOW = 3; // times as many steps without momentum
const LEAST_EPOCHS = 2; // of a stage: one is too few if there are many batches

/** The samples that the stages are for. */
export interface StageBasis {
  /** Number of rows of the data set. */
  readonly rows: number;
  /** Effective number of samples; see `Dataset.effectiveSampleSize`. */
  readonly samples: number;
  /** Number of active classes. */
  readonly outputs: number;
  /** Learning rate of the first step. */
  readonly rate: number;
  /** Whether `rate` is the default of the features. */
  readonly hasDefaultRate: boolean;
  /** Whether the training continues from earlier weights. */
  readonly isWarm: boolean;
}

/**
 * Return the stages of a training, of which the first ones are run.
 *
 * There is one stage if the options or the manifest limit the training or state the weight decay,
 * if it continues from earlier weights, and for heads without normalization and regressions.
 */
export function trainingStages(
  manifest: Manifest,
  config: TrainingConfig,
  basis: StageBasis,
): Schedule[] {
  const { samples, outputs, hasDefaultRate, isWarm } = basis;
  const { adaptive, momentum } = manifest.optimizer.step;
  const batches = Math.ceil(basis.rows / manifest.batch_size);
  const slow = !adaptive && momentum === 0 ? SLOW : 1;
  const hasCurvature = hasDefaultRate && !adaptive; // the weight decay adds to it

  const stage = (steps: number, weightDecay: number | undefined): Schedule => ({
    epochs: config.epochs ?? Math.max(LEAST_EPOCHS, Math.ceil((slow * steps) / batches)),
    batches,
    peak:
      weightDecay && hasCurvature
        ? 1 / (1 / basis.rate + weightDecay / stableRate(manifest))
        : basis.rate,
    decay: config.decay,
    weightDecay,
  });
  // the loss is the mean over the outputs if each has a weight
  const weightDecay = (strength: number) =>
    strength / samples / (manifest.weights_per_output ? outputs : 1);

  const stated = config.weightDecay ?? manifest.weight_decay ?? undefined;
  const hasPath = manifest.head.feature_norm !== null && manifest.task !== 'regression';
  if (stated === undefined && hasPath && !isWarm && !isLimited(config)) {
    const most = Math.min(PATH.maxSteps, PATH.classSteps / classFactor(manifest, outputs));
    return PATH.strengths.map((strength) => {
      const steps = clamp((PATH.steps * samples) / strength, PATH.minSteps, most);
      return stage(steps, weightDecay(strength));
    });
  }
  const initial = hasPath ? weightDecay(SINGLE.strength) : 0;
  const steps = clamp(SINGLE.epochs * batches, SINGLE.minSteps, SINGLE.maxSteps);
  return [stage(steps, stated ?? (isWarm ? undefined : initial))];
}
