/** One training of a head from beginning to end: train, publish the weights, cross-validate. */

import type { OODDetector } from '../confidence/out_of_distribution.js';
import { TrainingError } from '../errors.js';
import type { Variables } from '../litert/engine.js';
import { sum } from '../numbers.js';
import type { Epoch, History } from '../results/records.js';
import type { TrainingConfig } from './config.js';
import type { Control } from './control.js';
import type { TrainingData } from './data.js';
import type { Schedule } from './schedule.js';
import { StagedTraining } from './staged.js';
import type { EpochCallback } from './trainer.js';
import type { TrainingModel } from './training_model.js';
import { joinNames, type Selection, selectStage, validate } from './validation.js';

const PUBLISH_INTERVAL = 100; // ms; publishing more often would keep predictions waiting

/** Takes the variables and the OOD detector that predictions use from now on. */
export type Publish = (
  variables: Variables,
  detector: OODDetector | undefined,
) => Promise<void> | void;

/** The result of a training of a head. */
export interface HeadTraining {
  readonly history: History;
  /** The trained weights. */
  readonly variables: Variables;
  /** The options, with the learning rate that was searched. */
  readonly config: TrainingConfig;
  /** The stage at which it ended, and the outputs that selected it; none if not cross-validated. */
  readonly selection?: Selection | undefined;
}

/**
 * Train a head and publish its weights: now and then during training, and at the end.
 *
 * If training is stopped, the weights with the lower loss are published: the new ones or those
 * before the training. If it fails, those before the training are: `data.variables` itself.
 *
 * @param model - copy of the model, for training.
 * @param config - options.
 * @param data - samples and starting weights.
 * @param control - pauses and stops the training.
 * @param publish - called with each set of weights for predictions.
 * @param onEpoch - called after each epoch; returning false stops the training.
 * @throws TrainingError if the loss rises, or is no longer finite.
 */
export async function trainHead(
  model: TrainingModel,
  config: TrainingConfig,
  data: TrainingData,
  control: Control,
  publish: Publish,
  onEpoch?: EpochCallback,
): Promise<HeadTraining> {
  const training = await StagedTraining.create(model, config, data, control);
  const endEpoch = publishEpochs(model, data, publish, onEpoch);
  let selection: Selection | undefined;
  try {
    selection = await runStages(training, model, data, control, endEpoch);
  } catch (error) {
    const isFailure = error instanceof TrainingError; // otherwise an error of the callback
    await publish(isFailure ? data.variables : await betterVariables(model, data), data.detector);
    throw error;
  }
  const { foldConfig } = training;
  const history = { ...training.history, warnings: warningsOf(data) };
  const variables = history.stopped
    ? await betterVariables(model, data)
    : await model.variables(data);
  await publish(variables, data.detector);
  if (history.stopped || selection === undefined) {
    return { history, variables, config: foldConfig, selection };
  }
  const validation = await validate(model, data, selection, config);
  await publish({ ...variables, ...validation.variables }, validation.detector);
  const validated = {
    ...history,
    expectedAccuracy: validation.accuracy,
    calibrationError: validation.calibrationError,
    warnings: [...history.warnings, ...validation.warnings],
  };
  return { history: validated, variables, config: foldConfig, selection };
}

/**
 * Run the first stage, select the last one by cross-validation, and run those up to it.
 *
 * @returns the selection; undefined without a cross-validation.
 */
async function runStages(
  training: StagedTraining,
  model: TrainingModel,
  data: TrainingData,
  control: Control,
  onEpoch: EpochCallback,
): Promise<Selection | undefined> {
  await training.run(onEpoch, epochsOf(training.stages));
  if (training.history.stopped || data.isWarm) {
    return undefined;
  }
  const selection = await selectStage(model, training.foldConfig, data, control, training.history);
  await training.restore();
  if (selection === undefined) {
    return undefined;
  }
  const stages = training.stages.slice(0, selection.stages);
  while (training.completed < stages.length && !training.history.stopped) {
    await training.run(onEpoch, epochsOf(stages));
  }
  return selection;
}

function epochsOf(stages: readonly Schedule[]): number {
  return sum(stages.map((stage) => stage.epochs));
}

/** Return a callback that publishes at the ends of epochs, and then calls `onEpoch`. */
function publishEpochs(
  model: TrainingModel,
  data: TrainingData,
  publish: Publish,
  onEpoch: EpochCallback | undefined,
): EpochCallback {
  let last = performance.now();
  return async (epoch: Epoch) => {
    if (performance.now() - last >= PUBLISH_INTERVAL) {
      await publish(await model.variables(data), data.detector);
      last = performance.now();
    }
    return onEpoch?.(epoch);
  };
}

/** Return the present weights if their loss is lower than before the training, else those. */
async function betterVariables(model: TrainingModel, data: TrainingData): Promise<Variables> {
  const present = await model.variables(data);
  const samples = model.trainingSamples(data);
  await model.engine.restore(present);
  const after = (await model.evaluate(samples)).loss;
  await model.engine.restore(data.variables);
  const before = (await model.evaluate(samples)).loss;
  return after < before ? present : data.variables;
}

/** Return a warning about classes that the training may have damaged. */
function warningsOf({ absent }: TrainingData): string[] {
  if (absent.length === 0) {
    return [];
  }
  return [
    `there are no samples of ${joinNames(absent)}: training continued from the weights in use, and ` +
      'the accuracy on these classes may have fallen. Add samples of them, and train again',
  ];
}
