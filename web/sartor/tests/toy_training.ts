/** Trainings of the toy model. */

import type { OODDetector } from '../src/confidence/out_of_distribution.js';
import type { Variables } from '../src/litert/engine.js';
import { takeSamples } from '../src/store/sample_set.js';
import { type TrainingOptions, trainingConfig } from '../src/training/config.js';
import { Control } from '../src/training/control.js';
import { createTrainingData, type ModelSnapshot } from '../src/training/data.js';
import { trainHead } from '../src/training/fit.js';
import type { EpochCallback } from '../src/training/trainer.js';
import { TrainingModel } from '../src/training/training_model.js';
import { classIndices } from './recipe/inputs.js';
import { ToyEngine, toySamples } from './toy_model.js';

/** Eight samples of two classes. */
export const SAMPLES = toySamples(8);

/** The parts of a training; the toy model by default. */
export interface Run {
  readonly options?: TrainingOptions;
  readonly engine?: ToyEngine;
  readonly control?: Control;
  readonly onEpoch?: EpochCallback;
  readonly model?: Partial<ModelSnapshot>;
  readonly samples?: typeof SAMPLES;
  readonly heldOut?: typeof SAMPLES;
}

/** Start a training; `published` grows while it runs. */
export async function start({ options = {}, engine = new ToyEngine(), ...run }: Run) {
  const config = trainingConfig(options);
  const samples = run.samples ?? SAMPLES;
  const snapshot = {
    classIndices: classIndices(2),
    variables: { ...(await engine.variables()), class_mask: Float32Array.of(1, 1, 0) },
    detector: undefined,
    untrained: new Set<string>(),
    ...run.model,
  };
  const { manifest } = engine;
  const heldOut = run.heldOut ?? takeSamples(samples, []);
  const data = await createTrainingData(manifest, config, snapshot, samples, heldOut);
  const published: { variables: Variables; detector: OODDetector | undefined }[] = [];
  const model = await TrainingModel.create(engine, manifest);
  const control = run.control ?? new Control(options.seconds);
  const training = trainHead(
    model,
    config,
    data,
    control,
    (variables, detector) => void published.push({ variables, detector }),
    run.onEpoch,
  );
  const history = training.then((result) => result.history);
  return { history, published, control, data };
}

/** Return the weights after a training. */
export async function weightsAfter(run: Run): Promise<number[]> {
  const { history, published } = await start(run);
  await history;
  return Array.from(published.at(-1)?.variables['head/weights'] as Float32Array);
}
