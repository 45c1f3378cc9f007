/** The rules of the recipe that need a model: rule → function from inputs to outputs. */

import { type Manifest, TEMPERATURE } from '../../../../contract/generated/contract.js';
import { ClassWeights } from '../../src/classes.js';
import { calibrate } from '../../src/confidence/imprinted.js';
import type { OODDetector } from '../../src/confidence/out_of_distribution.js';
import { volume } from '../../src/data/batches.js';
import { rowClasses } from '../../src/data/tasks.js';
import type { Engine, Variables } from '../../src/litert/engine.js';
import { FeatureMean } from '../../src/new_classes.js';
import { indicesOf } from '../../src/numbers.js';
import { takeSamples } from '../../src/store/sample_set.js';
import { trainingConfig } from '../../src/training/config.js';
import { Control } from '../../src/training/control.js';
import { createTrainingData } from '../../src/training/data.js';
import { train } from '../../src/training/fit.js';
import { StagedTraining } from '../../src/training/staged.js';
import { TrainingModel } from '../../src/training/training_model.js';
import { classIndices, type Samples, sampleSet, type Table } from './inputs.js';
import { type OptionsJson, optionsOf } from './rules.js';

/** A model of the vectors. */
export interface OpenModel {
  readonly engine: Engine;
  readonly manifest: Manifest;
}

/** Inputs of a rule that needs a model. */
interface ModelInputs extends Samples {
  /** Name of the model file. */
  readonly model: string;
  readonly seed?: number;
  readonly options?: OptionsJson;
  /** Outputs, one for each of the first samples. */
  readonly probes?: Table;
  /** Names of the variables to compare. Default: all. */
  readonly compared?: readonly string[];
}

/** Rule → function. */
export const MODEL_RULES: Readonly<
  Record<string, (model: OpenModel, inputs: ModelInputs) => Promise<unknown>>
> = {
  async imprint({ engine, manifest }, inputs) {
    const samples = sampleSet(inputs, sizesOf(manifest));
    const weights = new ClassWeights(engine, manifest);
    const classes = rowClasses(samples.targets);
    const means = samples.classes.map((_, index) => {
      const mean = new FeatureMean(manifest.features);
      const rows = indicesOf(classes, (each) => each === index);
      mean.add(takeSamples(samples, rows).features);
      return mean.row();
    });
    for (const [index, mean] of means.entries()) {
      await weights.imprint(index, mean);
    }
    await calibrate(engine, manifest, means);
    return { variables: await engine.variables() };
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

  async fit({ engine, manifest }, inputs) {
    const data = await dataOf({ engine, manifest }, inputs);
    const model = await TrainingModel.create(engine, manifest);
    let published: { variables: Variables; detector: OODDetector | undefined } | undefined;
    const history = await train(
      model,
      configOf(inputs),
      data,
      new Control(),
      (variables, detector) => {
        published = { variables, detector };
      },
    );
    return {
      variables: compared(published?.variables ?? {}, inputs),
      expected_accuracy: history.expectedAccuracy,
      calibration_error: history.calibrationError,
      detector: published?.detector && decisions(published.detector, manifest, inputs),
    };
  },
};

async function prepare(model: OpenModel, inputs: ModelInputs): Promise<StagedTraining> {
  const data = await dataOf(model, inputs);
  const trainingModel = await TrainingModel.create(model.engine, model.manifest);
  return StagedTraining.create(trainingModel, configOf(inputs), data, new Control());
}

async function dataOf({ engine, manifest }: OpenModel, inputs: ModelInputs) {
  const samples = sampleSet(inputs, sizesOf(manifest));
  const named = manifest.classes.filter((name) => name !== null).length;
  const indices = classIndices(Math.max(samples.classes.length, named));
  const isZero = await new ClassWeights(engine, manifest).areZero();
  const model = {
    classIndices: indices,
    variables: { ...(await engine.variables()), [TEMPERATURE]: Float32Array.of(1) },
    detector: undefined,
    untrained: new Set([...indices.keys()].filter((_, index) => isZero[index])),
  };
  return createTrainingData(manifest, configOf(inputs), model, samples, takeSamples(samples, []));
}

function compared(variables: Variables, { compared: names }: ModelInputs): Variables {
  const entries = Object.entries(variables).filter(([name]) => names?.includes(name) ?? true);
  return Object.fromEntries(entries);
}

function configOf({ seed, options = {} }: ModelInputs) {
  return trainingConfig({ ...optionsOf(options), seed });
}

function decisions(detector: OODDetector, manifest: Manifest, inputs: ModelInputs) {
  const { features } = sampleSet(inputs, sizesOf(manifest));
  const { entropyWeight, threshold } = detector.parameters;
  return {
    entropy_weight: entropyWeight,
    threshold,
    decisions: inputs.probes?.map((output, row) => {
      const rows = features.map((each) => each.take([row]));
      return detector.isInDistribution(rows, Float32Array.from(output as number[]));
    }),
  };
}

function sizesOf(manifest: Manifest): number[] {
  return manifest.features.map(({ shape }) => volume(shape));
}
