/** The rules of the recipe that need no model: rule → function from inputs to outputs. */

import type {
  HeadSpec,
  LossSpec,
  StepSpec,
  Task,
} from '../../../../contract/generated/contract.js';
import {
  assignValidationFolds,
  crossValidate,
  HeldOutOutputs,
} from '../../src/confidence/cross_validation.js';
import { groupNearDuplicates } from '../../src/confidence/groups.js';
import { OODDetector } from '../../src/confidence/out_of_distribution.js';
import {
  defaultTemperature,
  expectedCalibrationError,
  fitTemperature,
} from '../../src/confidence/temperature.js';
import { Dataset } from '../../src/data/dataset.js';
import { Matrix } from '../../src/data/matrix.js';
import type { Engine } from '../../src/litert/engine.js';
import { distinct, indicesOf, range } from '../../src/numbers.js';
import { RandomNumbers } from '../../src/random_numbers.js';
import { inMemory } from '../../src/store/stored_features.js';
import { type TrainingOptions, trainingConfig } from '../../src/training/config.js';
import { Control } from '../../src/training/control.js';
import { trainingStages } from '../../src/training/path.js';
import { defaultRate, type Schedule } from '../../src/training/schedule.js';
import { Trainer } from '../../src/training/trainer.js';
import {
  dataset,
  manifestOf,
  matrix,
  oneHot,
  type Samples,
  sampleSet,
  type Table,
  table,
} from './inputs.js';

/** Computes the outputs of a case. */
// biome-ignore lint/suspicious/noExplicitAny: each rule has inputs of its own
type Player = (inputs: any) => unknown;

/** Options of a training, as the vectors name them. */
export interface OptionsJson {
  readonly epochs?: number;
  readonly patience?: number;
  readonly learning_rate?: number;
  readonly weight_decay?: number;
}

/** Return options as the library takes them. */
export function optionsOf(options: OptionsJson): TrainingOptions {
  const { epochs, patience, learning_rate: learningRate, weight_decay: weightDecay } = options;
  return { epochs, patience, learningRate, weightDecay };
}

interface StagesInputs {
  readonly manifest: {
    readonly task: Task;
    readonly batch_size: number;
    readonly weights_per_output: boolean;
    readonly head: Pick<HeadSpec, 'feature_norm'>;
    readonly loss: Pick<LossSpec, 'curvature'>;
    readonly optimizer: { readonly step: Omit<StepSpec, 'first'> };
  };
  readonly options: OptionsJson;
  readonly first_batches: readonly { readonly rows: Table; readonly weights: number[] }[];
  readonly rows: number;
  readonly effective_samples: number;
  readonly classes: number;
  readonly target_rms?: number;
  readonly warm?: boolean;
}

interface LabelledJson extends Samples {
  readonly task: Task;
  readonly outputs: Table;
}

/** Rule → function. */
export const RULES: Readonly<Record<string, Player>> = {
  random_numbers: ({ seed, count }: { seed: number; count: number }) => ({
    numbers: new RandomNumbers(seed).draw(count),
  }),

  permutations({ seed, counts }: { seed: number; counts: number[] }) {
    const numbers = new RandomNumbers(seed);
    return { permutations: counts.map((count) => numbers.permutation(count)) };
  },

  weights({ task, ...samples }: Samples & { task: Task }) {
    const data = dataset(task, samples);
    const weights = table(data.weights);
    return {
      fractions: data.fractions,
      weights: task === 'classification' ? weights.flat() : weights,
      effective_samples: data.effectiveSampleSize,
    };
  },

  mixed_rows({ task, batch_size, seed, ...samples }) {
    return { rows: dataset(task, samples).mixedRows(batch_size, seed) };
  },

  async batches({ seed, rows, batch_size: size, epochs }) {
    const batches = Math.ceil(rows / size);
    const schedule = { epochs, batches, peak: 1, decay: 'cosine' } as const;
    const { steps } = await recordSteps(rows, size, seed, schedule);
    return {
      epochs: range(epochs).map((epoch) => steps.slice(epoch * batches, (epoch + 1) * batches)),
    };
  },

  stages(inputs: StagesInputs) {
    const manifest = manifestOfStages(inputs);
    const { options, rows, classes, effective_samples: samples, warm } = inputs;
    const { learning_rate: stated } = options;
    const rate = defaultRate(manifest, {
      batches: inputs.first_batches.map(({ rows, weights }) => {
        return { rows: rows.map((row) => Float64Array.from(row as number[])), weights };
      }),
      outputs: classes,
      magnitude: inputs.target_rms ?? 1,
    });
    const stages = trainingStages(manifest, trainingConfig(optionsOf(options)), {
      rows,
      samples,
      outputs: classes,
      rate: stated ?? rate,
      hasDefaultRate: stated === undefined,
      isWarm: warm ?? false,
    });
    return {
      stages: stages.map(({ epochs, batches, peak, weightDecay }) => {
        return { epochs, batches, peak, weight_decay: weightDecay };
      }),
    };
  },

  async rates({ peak, steps }) {
    const schedule = { epochs: steps, batches: 1, peak, decay: 'cosine' } as const;
    return { rates: (await recordSteps(1, 1, 0, schedule)).rates };
  },

  async groups({ features, classes, samples }) {
    return { groups: await groupNearDuplicates([matrix(features)], classes, samples) };
  },

  folds({ classes, groups, features_per_row: columns, seed }) {
    const { targets, weights, samples, fractions } = dataset('classification', {
      targets: oneHot(classes),
    });
    const features = [Matrix.filled(samples.length, columns)];
    const data = new Dataset(features, targets, weights, samples, fractions);
    return { folds: assignValidationFolds(data, groups, seed) };
  },

  async temperature({ prior, ...inputs }: LabelledJson & { prior: number }) {
    const { heldOut, data, manifest } = allHeldOut(inputs);
    return { temperature: await fitTemperature(heldOut.labelled(manifest, data), prior) };
  },

  default_temperature: ({ outputs, temperature }) => ({
    temperature: defaultTemperature(matrix(outputs), temperature),
  }),

  async held_out_loss(inputs: LabelledJson) {
    const { heldOut, data, manifest } = allHeldOut(inputs);
    return { loss: await heldOut.loss(manifest, data) };
  },

  async expected_accuracy({ folds, ...inputs }: LabelledJson & { folds: number[] }) {
    const { heldOut, data, manifest } = heldOutIn(inputs, folds);
    const result = await crossValidate(manifest, data, folds, heldOut, matrix(inputs.outputs));
    const { outputs, targets, isIndependent } = heldOut.labelled(manifest, data);
    return {
      expected_accuracy: result.accuracy,
      calibration_error: isIndependent ? null : expectedCalibrationError(outputs, targets),
    };
  },

  async detector({ features, classes, folds, outputs, probes }) {
    const rows = inMemory(sampleSet({ targets: oneHot(classes), features }).features);
    const detector = await OODDetector.fit(rows, classes, folds, outputs && matrix(outputs));
    if (detector === undefined) {
      return { detector: null };
    }
    const { prototypes, entropyWeight, threshold } = detector.parameters;
    return {
      detector: {
        prototypes: table(prototypes.rows),
        entropy_weight: entropyWeight,
        threshold,
        scores: probes.map((probe: { features: number[]; output: number[] }) => {
          return detector.score([matrix([probe.features])], Float32Array.from(probe.output));
        }),
      },
    };
  },
};

function manifestOfStages({ manifest, classes, options }: StagesInputs) {
  const base = manifestOf(manifest.task, classes);
  return {
    ...base,
    ...manifest,
    head: { ...base.head, ...manifest.head },
    loss: { ...base.loss, ...manifest.loss },
    optimizer: {
      ...base.optimizer,
      step: { ...base.optimizer.step, ...manifest.optimizer.step },
    },
    learning_rate: options.learning_rate ?? null,
  };
}

/** Train on rows whose feature is their number; return the rows and the rate of each step. */
async function recordSteps(count: number, size: number, seed: number, schedule: Schedule) {
  const manifest = manifestOf('classification', 1, {
    batch_size: size,
    features: [{ name: 'features', shape: [1], dtype: 'float32', scale: null, zero_point: null }],
  });
  const steps: number[][] = [];
  const rates: number[] = [];
  const recorder = {
    async run(_: unknown, inputs: Readonly<Record<string, Float32Array>>) {
      const rows = indicesOf(inputs.sample_weights as Float32Array, (weight) => weight > 0);
      steps.push(rows.map((row) => inputs.features?.[row] as number));
      rates.push(inputs.learning_rate?.[0] as number);
      return { loss: Float32Array.of(0), output: new Float32Array(size) };
    },
    variables: async () => ({}),
  };
  const { targets, weights, samples, fractions } = dataset('classification', {
    targets: range(count).map(() => [1]),
  });
  const features = [new Matrix(Float32Array.from(samples), 1)];
  const trainer = new Trainer({
    engine: recorder as unknown as Engine,
    manifest,
    samples: new Dataset(features, targets, weights, samples, fractions),
    control: new Control(),
    seed,
  });
  await trainer.run(schedule);
  return { steps, rates };
}

function allHeldOut(inputs: LabelledJson) {
  return heldOutIn(
    inputs,
    inputs.targets.map(() => 0),
  );
}

/** Return outputs as those of held-out rows of some folds. */
function heldOutIn(inputs: LabelledJson, folds: readonly number[]) {
  const data = dataset(inputs.task, inputs);
  const heldOut = new HeldOutOutputs(data);
  const outputs = matrix(inputs.outputs);
  for (const fold of distinct(folds.filter((each) => each >= 0))) {
    const rows = indicesOf(folds, (each) => each === fold);
    heldOut.set(fold, rows, outputs.take(rows));
  }
  return { data, heldOut, manifest: manifestOf(inputs.task, data.targets.columns) };
}
