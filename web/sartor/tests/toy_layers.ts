/** A toy model whose tuned layers multiply the features by a number, and its samples in a store. */

import type { Manifest } from '../../../contract/generated/contract.js';
import type { SignatureName } from '../src/contract/signatures.js';
import type { Tensors } from '../src/litert/engine.js';
import { openMemory } from '../src/store/sqlite.js';
import { SampleStore } from '../src/store/store.js';
import { inMemory } from '../src/store/stored_features.js';
import { secondsOfPart, type TrainingOptions, trainingConfig } from '../src/training/config.js';
import { Control } from '../src/training/control.js';
import { createTrainingData } from '../src/training/data.js';
import { LayerTraining } from '../src/training/layers.js';
import type { EpochCallback } from '../src/training/trainer.js';
import { TrainingModel } from '../src/training/training_model.js';
import { classIndices } from './recipe/inputs.js';
import { ToyEngine, toyManifest, toySamples } from './toy_model.js';

const FACTOR = 'head/layers/factor';

function layerManifest(): Manifest {
  const manifest = toyManifest();
  const variable = { parameter: null, rate: null, offset: 0, class_axis: null } as const;
  return {
    ...manifest,
    layers: { features: 2, feature_norm: 3 },
    variables: [
      ...manifest.variables,
      { ...variable, name: FACTOR, shape: [1], role: 'parameter' },
    ],
  };
}

/** The engine of the model: `train` also multiplies the number by one that a test chooses. */
export class ToyLayerEngine extends ToyEngine {
  #steps = 0;

  /** @param change - factor of the number in a step of `train`, numbered from 1. */
  constructor(private readonly change: (step: number) => number = () => 1) {
    super(layerManifest(), { [FACTOR]: Float32Array.of(1) });
  }

  override async run(key: SignatureName, inputs: Tensors): Promise<Record<string, Float32Array>> {
    if (key === 'run_layers') {
      return { head_features: await this.#behind(inputs.features as Float32Array) };
    }
    const isOfFile = key === 'train' || key === 'evaluate' || key === 'set_class';
    const features = isOfFile && (await this.#behind(inputs.features as Float32Array));
    const used = features ? { ...inputs, features } : inputs;
    const outputs = await super.run(key.replace(/_head$/, '') as 'train', used);
    if (key === 'train') {
      this.#steps += 1;
      const variables = await this.variables();
      const factor = (variables[FACTOR]?.[0] as number) * this.change(this.#steps);
      await this.restore({ ...variables, [FACTOR]: Float32Array.of(factor) });
    }
    return outputs;
  }

  /** Number of steps of `train`, of the layers and the head together. */
  get steps(): number {
    return this.#steps;
  }

  async #behind(features: Float32Array): Promise<Float32Array> {
    const factor = (await this.variables())[FACTOR]?.[0] as number;
    return features.map((value) => factor * value);
  }
}

/** Return a store with samples of two classes. */
export async function toyStore(count = 8): Promise<SampleStore> {
  const store = await SampleStore.open(await openMemory(), 'store', layerManifest());
  const { features, targets, classes } = toySamples(count);
  for (let row = 0; row < 2 * count; row += 1) {
    const label = classes[targets.row(row).indexOf(1)] as string;
    const sample = {
      features: inMemory(features).map((each) => each.take([row])),
      targets: new Map([[label, 1]]),
      source: Uint8Array.from({ length: 32 }, () => row),
      heldOut: false,
      images: new Map(),
    };
    store.add(sample, new Map());
  }
  return store;
}

/** Train the model on the samples of a store. */
export async function trainLayers(
  engine: ToyLayerEngine,
  store: SampleStore,
  options: TrainingOptions = {},
  onEpoch?: EpochCallback,
) {
  const config = trainingConfig({ learningRate: 0.1, ...options });
  const snapshot = {
    classIndices: classIndices(2),
    variables: await engine.variables(),
    detector: undefined,
    untrained: new Set<string>(),
  };
  const { manifest } = engine;
  const samples = [store.select(false), store.select(true)] as const;
  const data = await createTrainingData(manifest, config, snapshot, ...samples);
  const model = await TrainingModel.create(engine, manifest);
  const control = new Control(secondsOfPart(config, manifest));
  const training = await LayerTraining.create(model, config, control, async () => {});
  return training.run(data, onEpoch);
}
