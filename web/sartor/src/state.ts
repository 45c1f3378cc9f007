/** The state of a model: weights, class names, and the out-of-distribution detector. */

import type { Manifest } from '../../../contract/generated/contract.js';
import { ClassNames } from './class_names.js';
import { ClassWeights } from './classes.js';
import type { OODDetector } from './confidence/out_of_distribution.js';
import { headManifest } from './contract/signatures.js';
import type { Matrix } from './data/matrix.js';
import { DataError } from './errors.js';
import { imprintChanged } from './imprinting.js';
import type { Engine, Tensors, Variables } from './litert/engine.js';
import { headEngine, headFeatures } from './litert/head_engine.js';
import { NewClasses } from './new_classes.js';
import { featuresOf, headFeaturesOf, type Inference, outputOf } from './results/inference.js';
import { adapt } from './saved/adapt.js';
import type { Checkpoint, FloatTensors } from './saved/checkpoint.js';
import { detectorOf, detectorTensors } from './saved/detector.js';
import type { Features } from './store/stored_features.js';
import type { ModelSnapshot } from './training/data.js';

/**
 * The weights, the class names and the out-of-distribution detector of a model.
 *
 * A checkpoint holds this state. The methods must run one at a time: the caller holds a lock.
 */
export class ModelState {
  readonly #engine: Engine;
  readonly #manifest: Manifest;
  readonly #head: Engine;
  readonly #headManifest: Manifest;
  readonly #weights: ClassWeights;
  #classes: ClassNames;
  #new: NewClasses;
  #detector: OODDetector | undefined;
  #before: Variables = {}; // the present training
  #app: FloatTensors = new Map();

  /** Number of samples added until now, including earlier sessions. */
  samplesSeen = 0;

  private constructor(engine: Engine, manifest: Manifest) {
    this.#engine = engine;
    this.#manifest = manifest;
    this.#head = headEngine(engine, manifest);
    this.#headManifest = headManifest(manifest);
    this.#weights = new ClassWeights(this.#head, this.#headManifest);
    this.#classes = new ClassNames(manifest.classes, manifest.class_keys);
    this.#new = new NewClasses(this.#headManifest.features);
  }

  /** Return the initial state of a model file. */
  static async create(engine: Engine, manifest: Manifest): Promise<ModelState> {
    const state = new ModelState(engine, manifest);
    state.#new.include(await state.#untrained());
    return state;
  }

  /** Return the engine that predicts, with the weights that follow from all samples. */
  async engine(): Promise<Engine> {
    await this.#imprintChanged();
    return this.#engine;
  }

  /** Class name → class index, in the order of the indices. */
  get classIndices(): ReadonlyMap<string, number> {
    return this.#classes.indices;
  }

  /** Class name → key, of the classes that have a key. */
  get classKeys(): ReadonlyMap<string, string> {
    return this.#classes.keysByName;
  }

  /** Number of free class indices. */
  get freeClasses(): number {
    return this.#classes.free;
  }

  /** Names of the classes that no training has changed. */
  get newClasses(): readonly string[] {
    return [...this.#new.means.keys()];
  }

  /** Return the features of one sample: one row of each features tensor. */
  async features(inputs: Tensors): Promise<Matrix[]> {
    return featuresOf(await this.#engine.run('infer', inputs), this.#manifest);
  }

  /**
   * Run the model on one input.
   *
   * @throws DataError if an output is not finite.
   */
  async infer(inputs: Tensors): Promise<Inference> {
    const result = await (await this.engine()).run('infer', inputs);
    const output = outputOf(result);
    const features = headFeaturesOf(result, this.#manifest);
    const pairs = [...this.classIndices].map(([name, index]) => [name, output[index]] as const);
    return {
      features: featuresOf(result, this.#manifest),
      outputs: new Map(pairs as [string, number][]),
      inDistribution: this.#detector?.isInDistribution(features, output),
    };
  }

  /** Return whether no training has changed the weights of a class. */
  isNew(label: string): boolean {
    return this.#new.has(label) || !this.classIndices.has(label);
  }

  /** Return whether the weights of a class do not follow from any samples yet. */
  needsSamples(label: string): boolean {
    return this.isNew(label) && !this.#new.hasSamples(label);
  }

  /**
   * Imprint a class from one more sample, unless it is trained; a new class gets an index.
   *
   * @param features - rows of each features tensor; undefined if they do not show the class.
   */
  async addSample(label: string, features: readonly Matrix[] | undefined): Promise<void> {
    this.#addClass(label);
    if (features !== undefined && this.#new.has(label)) {
      this.#new.addSamples(label, await this.#behindLayers(features));
    }
  }

  /**
   * Imprint the classes that are not trained from all their samples.
   *
   * @param classes - class name → features of its samples; there may be none.
   */
  async imprint(classes: ReadonlyMap<string, Features>): Promise<void> {
    for (const [label, features] of classes) {
      this.#addClass(label);
      const rows = this.#new.has(label) ? await this.#behindLayers(features) : [];
      if ((rows[0]?.rows ?? 0) > 0) {
        this.#new.setSamples(label, rows);
      }
    }
  }

  /** Clear a class, so that its index is free. */
  async remove(label: string): Promise<void> {
    await this.#clear(this.#classes.remove(label), label);
  }

  /** Rename a class. */
  rename(old: string, name: string): void {
    this.#classes.rename(old, name);
    this.#new.rename(new Map([[old, name]]));
  }

  /**
   * Rename and remove the classes that were renamed and removed in a store.
   *
   * @param stored - class key → name, or null for a removed class.
   */
  async follow(stored: ReadonlyMap<string, string | null>): Promise<void> {
    const before = this.#classes.names;
    this.#classes = this.#classes.following(stored);
    const renamed = new Map<string, string>();
    for (const [index, old] of before.entries()) {
      const name = this.#classes.names[index] ?? null;
      if (old !== null && name === null) {
        await this.#clear(index, old);
      } else if (old !== null && name !== null) {
        renamed.set(old, name);
      }
    }
    this.#new.rename(renamed);
  }

  /** Return the model at the start of a training; classes that are added later are new. */
  async beginTraining(): Promise<ModelSnapshot> {
    const variables = await (await this.engine()).variables();
    this.#before = variables;
    this.#new.beginTraining();
    return {
      classIndices: this.classIndices,
      variables,
      detector: this.#detector,
      untrained: new Set(await this.#untrained()),
    };
  }

  /** Replace all weights at once, and imprint the new classes again beside them. */
  async publish(variables: Variables, detector: OODDetector | undefined): Promise<void> {
    await this.#engine.restore(variables);
    this.#detector = detector;
    this.#new.endTraining({ hasFailed: variables === this.#before });
    this.#new.include(await this.#untrained());
  }

  /**
   * Remove all that was computed from single samples.
   *
   * @param remaining - name of a new class → features of its remaining samples.
   */
  async forgetSamples(remaining: ReadonlyMap<string, Features>): Promise<void> {
    this.#detector = undefined;
    for (const [label, features] of remaining) {
      this.#new.setSamples(label, await this.#behindLayers(features));
    }
  }

  /** Treat the imprinted classes whose samples are not here as trained. */
  async keepLoadedWeights(): Promise<void> {
    const untrained = await this.#untrained();
    const elsewhere = this.newClasses.filter((label) => !this.#new.hasSamples(label));
    this.#new.exclude(elsewhere.filter((label) => !untrained.includes(label)));
  }

  /** Return the present state as a checkpoint. */
  async checkpoint(): Promise<Checkpoint> {
    const variables = await (await this.engine()).variables();
    return {
      classes: [...this.#classes.names],
      classKeys: this.#classes.completeKeys(),
      fingerprints: this.#manifest.fingerprints,
      variables: new Map(
        this.#manifest.variables.map(({ name, shape }) => {
          return [name, { shape, data: variables[name] as Float32Array }];
        }),
      ),
      imprinted: this.newClasses.filter((label) => this.#new.hasSamples(label)),
      samplesSeen: this.samplesSeen,
      oodThreshold: this.#detector?.threshold ?? null,
      ood: detectorTensors(this.#detector),
      app: this.#app,
    };
  }

  /**
   * Replace the state by a checkpoint.
   *
   * @param checkpoint - checkpoint to load.
   * @param name - name of the checkpoint in messages.
   * @returns messages about parts that do not fit the model and were not loaded.
   * @throws CheckpointError if it belongs to another model; nothing is changed.
   */
  async load(checkpoint: Checkpoint, name: string): Promise<readonly string[]> {
    const initial = await this.#engine.initialVariables();
    const { variables, classes, classKeys, notes } = adapt(
      checkpoint,
      this.#manifest,
      initial,
      name,
    );
    const detector = detectorOf(checkpoint, this.#headManifest);
    await this.#engine.restore(variables);
    this.#classes = new ClassNames(classes, classKeys);
    this.#new = new NewClasses(this.#headManifest.features);
    this.#new.include(checkpoint.imprinted.filter((label) => this.classIndices.has(label)));
    this.#new.include(await this.#untrained());
    this.#detector = detector;
    this.samplesSeen = checkpoint.samplesSeen;
    this.#app = checkpoint.app;
    return notes;
  }

  /** Release the memory. */
  close(): void {
    this.#engine.close();
  }

  /** Give a class index to a class that has none. */
  #addClass(label: string): void {
    if (this.classIndices.has(label)) {
      return;
    }
    if (this.freeClasses === 0) {
      throw new DataError(`the model has no free class for '${label}'`, 'no-free-class');
    }
    this.#classes.add(label);
    this.#new.addClass(label);
  }

  /** Return the names of the classes whose weights are zero. */
  async #untrained(): Promise<string[]> {
    const zero = await this.#weights.areZero();
    return [...this.classIndices].filter(([, index]) => zero[index]).map(([label]) => label);
  }

  /** Imprint the classes that have got samples since the last call. */
  async #imprintChanged(): Promise<void> {
    if (this.#new.changed.size > 0) {
      const model = { engine: this.#head, manifest: this.#headManifest, weights: this.#weights };
      this.#detector = await imprintChanged(model, this.classIndices, this.#new, this.#detector);
    }
  }

  #behindLayers(features: Features): Promise<readonly Matrix[]> {
    return headFeatures(this.#engine, this.#manifest, features);
  }

  /** Clear the weights of a class that was removed. */
  async #clear(index: number, label: string): Promise<void> {
    await this.#weights.clear(index);
    this.#new.exclude([label]);
    this.#detector = this.#detector?.withoutClass(index);
  }
}
