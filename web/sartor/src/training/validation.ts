/** Cross-validation: trainings without each fold, like the one on all samples. */

import { type Manifest, TEMPERATURE } from '../../../../contract/generated/contract.js';
import {
  assignValidationFolds,
  type CrossValidation,
  crossValidate,
  HeldOutOutputs,
} from '../confidence/cross_validation.js';
import type { OODDetector } from '../confidence/out_of_distribution.js';
import type { Dataset } from '../data/dataset.js';
import type { Matrix } from '../data/matrix.js';
import { TrainingError } from '../errors.js';
import type { Variables } from '../litert/engine.js';
import { distinct, indicesOf } from '../numbers.js';
import type { History } from '../results/records.js';
import { takeSamples } from '../store/sample_set.js';
import { isLimited, type TrainingConfig } from './config.js';
import type { Control } from './control.js';
import { groupsOf, isUniform, partOf, type TrainingData } from './data.js';
import { StagedTraining } from './staged.js';
import type { TrainingModel } from './training_model.js';

/** The rule that ends a training. */
const STOPPING = {
  /** In nats, and as a fraction of the loss: a stage that gains less is not worth its time. */
  leastGain: 0.01,
  leastFraction: 0.02,
} as const;

const MOST_NAMES = 5; // in a message

/** The stage to end a training at, and the outputs that selected it. */
export interface Selection {
  /** Number of stages to run, at least 1. */
  readonly stages: number;
  /** Fold of each row, [N]; see `assignValidationFolds`. */
  readonly assigned: readonly number[];
  /** Outputs of the last of these stages for held-out rows. */
  readonly heldOut: HeldOutOutputs;
}

/** What to publish and to report after a cross-validation. */
export interface Validation {
  readonly detector: OODDetector | undefined;
  /** Variables to replace. */
  readonly variables: Variables;
  /** Expected accuracy, 0…1. */
  readonly accuracy: number | undefined;
  /** Expected calibration error, 0…1. */
  readonly calibrationError: number | undefined;
  /** Messages about what could not be measured. */
  readonly warnings: readonly string[];
}

/**
 * Train without each fold, stage by stage, until the loss on held-out rows stops falling.
 *
 * If an option limits the training, each fold has as many epochs as `history`. All folds together
 * have the time limit of the training again.
 *
 * @param model - copy of the model, for training.
 * @param config - options of the training.
 * @param data - its samples.
 * @param control - pauses and stops the cross-validation.
 * @param history - history of the first stage on all samples.
 * @returns the selection; undefined for a regression.
 */
export async function selectStage(
  model: TrainingModel,
  config: TrainingConfig,
  data: TrainingData,
  control: Control,
  history: History,
): Promise<Selection | undefined> {
  const { manifest } = model;
  if (manifest.task === 'regression') {
    return undefined;
  }
  const samples = model.dataset(data, data.samples);
  const groups = await groupsOf(data.samples, data.classIndices);
  const assigned = assignValidationFolds(samples, groups, config.seed);
  const limited = control.limited();
  const folds = new Map<number, StagedTraining>();
  const epochs = history.epochs.length;
  const foldConfig = isLimited(config) && epochs > 0 ? { ...config, epochs } : config;
  for (const fold of epochs > 0 ? distinct(assigned.filter((each) => each >= 0)) : []) {
    const part = partOf(
      data,
      indicesOf(assigned, (each) => each !== fold),
    );
    folds.set(fold, await StagedTraining.create(model, foldConfig, part, limited));
  }
  if (folds.size === 0) {
    const heldOut = new HeldOutOutputs(samples);
    return { stages: 1, assigned, heldOut };
  }
  return selectLast(model, data, samples, assigned, folds);
}

/**
 * Fit temperature and OOD detector, and measure the accuracy on the held-out rows.
 *
 * @param model - holds the weights that were trained on all samples, at temperature 1.
 * @param data - its samples.
 * @param selection - outputs for held-out rows.
 * @param config - options of the training.
 * @param heldOutFeatures - see `crossValidate`.
 */
export async function validate(
  model: TrainingModel,
  data: TrainingData,
  selection: Selection,
  config: TrainingConfig,
  heldOutFeatures?: readonly Matrix[],
): Promise<Validation> {
  const { manifest } = model;
  const samples = model.dataset(data, data.samples);
  const { outputs } = await model.evaluate(samples);
  const { assigned, heldOut } = selection;
  const result = await crossValidate(
    manifest,
    samples,
    assigned,
    heldOut,
    outputs,
    heldOutFeatures,
  );
  return {
    detector: result.oodDetector,
    variables: { [TEMPERATURE]: Float32Array.of(result.temperature) },
    accuracy: result.accuracy,
    calibrationError: result.calibrationError,
    warnings: warningsOf(result, manifest, data, config.seconds),
  };
}

/** Run the stages of all folds until the loss on the held-out rows stops falling. */
async function selectLast(
  model: TrainingModel,
  data: TrainingData,
  samples: Dataset,
  assigned: readonly number[],
  folds: ReadonlyMap<number, StagedTraining>,
): Promise<Selection> {
  const { manifest } = model;
  const most = Math.max(...[...folds.values()].map((training) => training.stages.length));
  let best: Selection | undefined;
  let lowest = Number.POSITIVE_INFINITY;
  for (let stages = 1; stages <= most; stages += 1) {
    const heldOut = await runFolds(model, data, samples, assigned, folds);
    const isComplete = heldOut.folds.every((fold, row) => fold === assigned[row]);
    const selection = { stages, assigned, heldOut };
    best ??= selection;
    if (!isComplete) {
      break;
    }
    if (heldOut.accuracy(manifest, samples) === 1) {
      return selection;
    }
    const loss = await heldOut.loss(manifest, samples);
    if (lowest - loss < STOPPING.leastGain + STOPPING.leastFraction * loss) {
      break;
    }
    best = selection;
    lowest = loss;
  }
  return best as Selection;
}

/** Train the next stage without each fold, until a training is not completed. */
async function runFolds(
  model: TrainingModel,
  data: TrainingData,
  samples: Dataset,
  assigned: readonly number[],
  folds: ReadonlyMap<number, StagedTraining>,
): Promise<HeldOutOutputs> {
  const heldOut = new HeldOutOutputs(samples);
  for (const [fold, training] of folds) {
    try {
      await training.run();
    } catch (error) {
      if (error instanceof TrainingError) {
        break;
      }
      throw error;
    }
    if (training.history.stopped) {
      break;
    }
    const rows = indicesOf(assigned, (each) => each === fold);
    const part = model.dataset(data, takeSamples(data.samples, rows));
    heldOut.set(fold, rows, (await model.evaluate(part)).outputs);
  }
  return heldOut;
}

/** Return class names for a message; of many, the first five and the number of the others. */
export function joinNames(names: readonly string[]): string {
  const first = names.slice(0, MOST_NAMES).map((name) => `'${name}'`);
  const more = names.length - MOST_NAMES;
  return first.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Return messages about what the expected accuracy does not say. */
function warningsOf(
  result: CrossValidation,
  manifest: Manifest,
  data: TrainingData,
  seconds: number | undefined,
): string[] {
  const unknown = 'the expected accuracy is unknown: ';
  if (result.accuracy === undefined && data.classIndices.size < 2) {
    return [`${unknown}there is one class only. Add samples of another class`];
  }
  if (!result.canHoldOut) {
    return [`${unknown}no class has two different samples. Add samples that differ`];
  }
  if (result.heldOutClasses.size === 0 && seconds !== undefined) {
    return [`${unknown}there was no time to measure it. Train for more than ${seconds} s`];
  }
  if (result.heldOutClasses.size === 0) {
    return [`${unknown}the cross-validation was not completed. Train again`];
  }
  if (isUniform(manifest, data)) {
    return [
      'the photos of each class are as alike as those of one burst: the expected accuracy is that ' +
        'on more of them only. Add photos of other places and views',
    ];
  }
  const missing = [...data.classIndices].filter(([, index]) => !result.heldOutClasses.has(index));
  if (missing.length === 0) {
    return [];
  }
  return [
    `the expected accuracy is not that of ${joinNames(missing.map(([name]) => name))}: their ` +
      'samples are near-duplicates, or single. Add samples that differ',
  ];
}
