/** The rules of the recipe that need a model: rule → function from inputs to outputs. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import type { OODDetector } from '../../src/confidence/out_of_distribution.js';
import { volume } from '../../src/data/batches.js';
import type { Engine, Variables } from '../../src/litert/engine.js';
import { indicesOf, range } from '../../src/numbers.js';
import type { History } from '../../src/results/records.js';
import { ModelState } from '../../src/state.js';
import { type SampleSet, takeSamples } from '../../src/store/sample_set.js';
import { inMemory, takeRows } from '../../src/store/stored_features.js';
import { type TrainingConfig, trainingConfig } from '../../src/training/config.js';
import { Control } from '../../src/training/control.js';
import { createTrainingData, type TrainingData } from '../../src/training/data.js';
import { type Publish, trainHead } from '../../src/training/fit.js';
import { LayerTraining } from '../../src/training/layers.js';
import { StagedTraining } from '../../src/training/staged.js';
import { TrainingModel } from '../../src/training/training_model.js';
import { matrix, type Samples, sampleSet, type Table } from './inputs.js';
import { type OptionsJson, optionsOf } from './rules.js';
import type { ModelRule } from './vectors.js';

/** A model of the vectors. */
export interface OpenModel {
  readonly engine: Engine;
  readonly manifest: Manifest;
}

/** Features of one sample, and an output. */
interface Probe {
  readonly features: readonly number[];
  readonly output: readonly number[];
}

/** Inputs of a rule that needs a model. */
interface ModelInputs extends Samples {
  /** Name of the model file. */
  readonly model: string;
  readonly seed?: number;
  readonly options?: OptionsJson;
  /** What to train in a file with tuned layers. */
  readonly depth?: string;
  /** Outputs, one for each of the first samples; in `continue`, with features of their own. */
  readonly probes?: Table | readonly Probe[];
  /** Samples of the first of two trainings. */
  readonly first?: Samples;
  /** Names of the variables to compare. Default: all. */
  readonly compared?: readonly string[];
}

/** Rule → function. */
export const MODEL_PLAYERS: Readonly<
  Record<ModelRule, (model: OpenModel, inputs: ModelInputs) => Promise<unknown>>
> = {
  async imprint(model, inputs) {
    const state = await stateWith(model, samplesOf(model, inputs));
    return { variables: await (await state.engine()).variables() };
  },

  async start(model, inputs) {
    const training = await prepare(model, inputs);
    await training.start();
    const peaks = training.stages.map((stage) => stage.peak);
    return { variables: await model.engine.variables(), peaks };
  },

  async first_stage(model, inputs) {
    const training = await prepare(model, inputs);
    await training.run();
    return { variables: await model.engine.variables() };
  },

  async search_rate(model, inputs) {
    const training = await prepare(model, inputs);
    return { peak: training.stages[0]?.peak };
  },

  async fit(model, inputs) {
    const samples = samplesOf(model, inputs);
    const state = await stateWith(model, samples);
    const { history, variables, detector } = await fit(model, state, samples, configOf(inputs));
    return {
      variables: compared(variables, inputs),
      expected_accuracy: history.expectedAccuracy,
      calibration_error: history.calibrationError,
      detector: detector && decisions(detector, samples, inputs.probes as Table),
    };
  },

  async fit_layers(model, inputs) {
    const samples = samplesOf(model, inputs);
    const state = await stateWith(model, samples);
    const config = { ...configOf(inputs), depth: inputs.depth as TrainingConfig['depth'] };
    const { history, variables, detector } = await fit(model, state, samples, config);
    const { entropyWeight, threshold } = detector?.parameters ?? {};
    return {
      depth: history.depth,
      steps: history.steps,
      expected_accuracy: history.expectedAccuracy,
      calibration_error: history.calibrationError,
      variables,
      detector: detector && { entropy_weight: entropyWeight, threshold },
    };
  },

  async continue(model, inputs) {
    const first = samplesOf(model, inputs.first as Samples);
    const state = await stateWith(model, first);
    await fit(model, state, first, configOf(inputs));

    const { engine, manifest } = model;
    const second = await ModelState.create(await engine.copy(), manifest);
    await second.load(await state.checkpoint(), 'the checkpoint');
    await second.keepLoadedWeights();
    const samples = samplesOf(model, inputs);
    await addSamples(second, manifest, samples);
    const { variables: added, detector } = await second.beginTraining();
    const scores = (inputs.probes as readonly Probe[]).map(({ features, output }) => {
      return detector?.score([matrix([features])], Float32Array.from(output));
    });
    const config = { ...configOf(inputs), warmStart: true };
    const { variables } = await fit(model, second, samples, config);
    second.close();
    return { added: { variables: added, scores }, variables };
  },
};

async function prepare(model: OpenModel, inputs: ModelInputs): Promise<StagedTraining> {
  const samples = samplesOf(model, inputs);
  const state = await stateWith(model, samples);
  const config = configOf(inputs);
  const data = await dataOf(model, state, samples, config);
  const copy = await TrainingModel.create(model.engine, model.manifest);
  return StagedTraining.create(copy, config, data, new Control());
}

/** Train and publish into a state. */
async function fit(
  { engine, manifest }: OpenModel,
  state: ModelState,
  samples: SampleSet,
  config: TrainingConfig,
) {
  const data = await dataOf({ engine, manifest }, state, samples, config);
  const model = await TrainingModel.create(await engine.copy(), manifest);
  let detector: OODDetector | undefined;
  const publish: Publish = (variables, published) => {
    detector = published;
    return state.publish(variables, published);
  };
  const history = await train(model, config, data, publish);
  model.close();
  return { history, detector, variables: await (await state.engine()).variables() };
}

async function train(
  model: TrainingModel,
  config: TrainingConfig,
  data: TrainingData,
  publish: Publish,
): Promise<History> {
  if (model.manifest.layers === null) {
    return (await trainHead(model, config, data, new Control(), publish)).history;
  }
  const training = await LayerTraining.create(model, config, new Control(), publish);
  return training.run(data);
}

/** Return a new state to which samples were added. */
async function stateWith(model: OpenModel, samples: SampleSet): Promise<ModelState> {
  const state = await ModelState.create(model.engine, model.manifest);
  await addSamples(state, model.manifest, samples);
  return state;
}

async function addSamples(state: ModelState, { task }: Manifest, samples: SampleSet) {
  for (const [column, name] of samples.classes.entries()) {
    const targets = range(samples.targets.rows).map((row) => samples.targets.at(row, column));
    const rows = indicesOf(targets, (target) => {
      return task === 'regression' ? !Number.isNaN(target) : target > 0;
    });
    const { features } = takeSamples(samples, rows);
    await state.addSample(name, rows.length > 0 ? inMemory(features) : undefined);
  }
}

async function dataOf(
  { manifest }: OpenModel,
  state: ModelState,
  samples: SampleSet,
  config: TrainingConfig,
): Promise<TrainingData> {
  const none = takeSamples(samples, []);
  return createTrainingData(manifest, config, await state.beginTraining(), samples, none);
}

/** Return the samples of a case; names are those of the file, or `class 0`, `class 1`, …. */
function samplesOf({ manifest }: OpenModel, inputs: Samples): SampleSet {
  const sizes = manifest.features.map(({ shape }) => volume(shape));
  const set = sampleSet(inputs, sizes);
  return { ...set, classes: set.classes.map((name, i) => manifest.classes[i] ?? name) };
}

function configOf({ seed, options = {} }: ModelInputs): TrainingConfig {
  return trainingConfig({ ...optionsOf(options), seed });
}

function compared(variables: Variables, { compared: names }: ModelInputs): Variables {
  const entries = Object.entries(variables).filter(([name]) => names?.includes(name) ?? true);
  return Object.fromEntries(entries);
}

function decisions(detector: OODDetector, { features }: SampleSet, probes: Table) {
  const { entropyWeight, threshold } = detector.parameters;
  return {
    entropy_weight: entropyWeight,
    threshold,
    decisions: probes.map((output, row) => {
      const rows = inMemory(takeRows(features, [row]));
      return detector.isInDistribution(rows, Float32Array.from(output as number[]));
    }),
  };
}
