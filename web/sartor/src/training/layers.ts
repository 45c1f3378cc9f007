/**
 * One training of a file with tuned layers: the head first, then the layers if they gain.
 *
 * The head trains with the whole recipe, on features that the layers compute once. Then layers and
 * head train without one fold. If the loss on this fold falls or the accuracy rises, they train
 * on all samples, and the outputs for the fold calibrate them.
 */

import { OPTIMIZER_STATE, TEMPERATURE } from '../../../../contract/generated/contract.js';
import { HeldOutOutputs } from '../confidence/cross_validation.js';
import { headManifest } from '../contract/signatures.js';
import type { Matrix } from '../data/matrix.js';
import { accuracy, TASKS } from '../data/tasks.js';
import { DataError, StoreError, TrainingError } from '../errors.js';
import type { Variables } from '../litert/engine.js';
import { headEngine, headFeatures } from '../litert/head_engine.js';
import { clamp, indicesOf, range } from '../numbers.js';
import type { History } from '../results/records.js';
import type { SampleSet } from '../store/sample_set.js';
import { takeSamples } from '../store/sample_set.js';
import { inMemory, StoredFeatures } from '../store/stored_features.js';
import type { TrainingConfig } from './config.js';
import type { Control } from './control.js';
import { partOf, type TrainingData } from './data.js';
import { type HeadTraining, type Publish, trainHead } from './fit.js';
import { Progress } from './progress.js';
import { searchLayerRate } from './rate_search.js';
import type { Schedule } from './schedule.js';
import { StagedTraining } from './staged.js';
import { type EpochCallback, Trainer } from './trainer.js';
import { TrainingModel } from './training_model.js';
import { type Selection, type Validation, validate } from './validation.js';

const STEPS = { least: 120, epochs: 8, most: 600 } as const;

/** A training of the layers without one fold. */
interface Evidence {
  /** Outputs for the rows that were held out. */
  readonly heldOut: HeldOutOutputs;
  /** Features of all rows behind the layers of this training. */
  readonly features: readonly Matrix[];
  /** Whether the held-out rows have a lower loss, or a higher accuracy, than with the head alone. */
  readonly isBetter: boolean;
}

/** One training of a file with tuned layers. */
export class LayerTraining {
  #rate: number | undefined;

  private constructor(
    private readonly model: TrainingModel,
    private readonly head: TrainingModel,
    private readonly config: TrainingConfig,
    private readonly control: Control,
    private readonly publish: Publish,
  ) {
    this.#rate = config.learningRate ?? model.manifest.learning_rate ?? undefined;
  }

  /**
   * Create a training.
   *
   * @param model - copy of the model, for training.
   * @param config - options.
   * @param control - pauses and stops the training.
   * @param publish - called with each set of weights for predictions.
   */
  static async create(
    model: TrainingModel,
    config: TrainingConfig,
    control: Control,
    publish: Publish,
  ): Promise<LayerTraining> {
    const { engine, manifest } = model;
    const head = await TrainingModel.create(headEngine(engine, manifest), headManifest(manifest));
    return new LayerTraining(model, head, config, control, publish);
  }

  /**
   * Train the head, then the layers with it; see `trainHead`.
   *
   * A training that continues from earlier weights leaves the layers as they are.
   */
  async run(all: TrainingData, onEpoch?: EpochCallback): Promise<History> {
    const { model, config } = this;
    await model.engine.restore(all.isWarm ? all.variables : model.untrained);
    const [data, headData] = await this.#behindLayers(all);
    if (data.samples.samples.length === 0) {
      throw new DataError('all training samples were deleted: add samples with addSample first');
    }
    const { control, publish } = this;
    const trained = await trainHead(this.head, config, headData, control, publish, onEpoch);
    if (trained.history.stopped && !data.isWarm) {
      await this.#keepBetter(data, trained.variables);
    }
    if (config.depth === 'head' || data.isWarm || trained.history.stopped) {
      return trained.history;
    }
    try {
      return await this.#trainLayers(data, headData, trained, onEpoch);
    } catch (error) {
      if (error instanceof TrainingError || error instanceof StoreError) {
        const warning = `the tuned layers were not trained: ${error.message}`;
        return { ...trained.history, warnings: [...trained.history.warnings, warning] };
      }
      throw error;
    }
  }

  /**
   * Publish the weights before the training again if their loss is not higher.
   *
   * The training of the head has compared them on features behind the initial layers.
   */
  async #keepBetter(data: TrainingData, variables: Variables): Promise<void> {
    const { model } = this;
    const samples = model.trainingSamples(data);
    await model.engine.restore(variables);
    const after = (await model.evaluate(samples)).loss;
    await model.engine.restore(data.variables);
    const before = (await model.evaluate(samples)).loss;
    if (before <= after) {
      await this.publish(data.variables, data.detector);
    }
  }

  /**
   * Return the data, and with the features that the present layers compute.
   *
   * Both are without the samples that were deleted from the store meanwhile.
   */
  async #behindLayers(data: TrainingData): Promise<[TrainingData, TrainingData]> {
    const both = async (set: SampleSet) => {
      const { behind, rows } = await this.#features(set);
      return [takeSamples(set, rows), takeSamples(behind, rows)] as const;
    };
    const [samples, headSamples] = await both(data.samples);
    const [heldOut, headHeldOut] = data.heldOut ? await both(data.heldOut) : [];
    if (heldOut?.samples.length === 0) {
      throw new DataError('all held-out samples were deleted: add some, or train without patience');
    }
    return [
      { ...data, samples, heldOut },
      { ...data, samples: headSamples, heldOut: headHeldOut },
    ];
  }

  /**
   * Return samples with the features behind the present layers, and the rows that are still stored.
   *
   * The features of deleted samples are those of zeros.
   */
  async #features(set: SampleSet): Promise<{ behind: SampleSet; rows: number[] }> {
    const { engine, manifest } = this.model;
    const behind = { ...set, features: await headFeatures(engine, manifest, set.features) };
    const { features, samples } = set;
    const isStored = features instanceof StoredFeatures;
    return { behind, rows: isStored ? features.present() : range(samples.length) };
  }

  async #trainLayers(
    data: TrainingData,
    headData: TrainingData,
    trained: HeadTraining,
    onEpoch: EpochCallback | undefined,
  ): Promise<History> {
    const { model, config } = this;
    const isAuto = config.depth === 'auto';
    const progress = new Progress(onEpoch, trained.history.epochs);
    const ofEvidence = this.control.limited();
    const evidence = await this.#holdOut(data, headData, trained, ofEvidence, progress);
    if ((isAuto && !evidence?.isBetter) || progress.stopped || ofEvidence.stopped) {
      return this.#headHistory(trained, ofEvidence, progress);
    }
    const control = this.control.limited();
    const trainer = this.#trainer(data, control);
    await model.engine.restore(this.#start(trained.variables));
    const before = isAuto ? await this.#trainingAccuracy(data) : 0;
    await trainer.run(await this.#schedule(data, control), progress.nextPart());
    const { history } = trainer;
    const isRefused = isAuto && (await this.#trainingAccuracy(data)) < before; // the rate was too high
    if (history.stopped || isRefused) {
      return this.#headHistory(trained, control, progress);
    }
    const { steps, samples } = trained.history;
    const variables = await model.variables(data);
    const validation = await this.#validate(data, trained, evidence);
    await this.publish({ ...variables, ...validation?.variables }, validation?.detector);
    return {
      epochs: progress.epochs,
      steps: steps + history.steps,
      samples,
      stopped: false,
      depth: 'layers',
      expectedAccuracy: validation?.accuracy,
      calibrationError: validation?.calibrationError,
      warnings: validation?.warnings ?? [],
    };
  }

  /** Return the history of a training that keeps the head and the initial layers. */
  #headHistory({ history }: HeadTraining, control: Control, progress: Progress): History {
    const { seconds } = this.config;
    const warnings = control.expired
      ? [`there was no time to train the tuned layers. Train for more than ${seconds} s`]
      : [];
    return {
      ...history,
      epochs: progress.epochs,
      stopped: progress.stopped || this.control.stopped,
      warnings: [...history.warnings, ...warnings],
    };
  }

  /** Return the accuracy of the present weights on the training samples. */
  async #trainingAccuracy(data: TrainingData): Promise<number> {
    const samples = this.model.trainingSamples(data);
    const { outputs } = await this.model.evaluate(samples);
    const task = TASKS[this.model.manifest.task];
    return accuracy(task, outputs, samples.targets, samples.weights);
  }

  /** Train head and layers without one fold; return undefined if that is not possible. */
  async #holdOut(
    data: TrainingData,
    headData: TrainingData,
    trained: HeadTraining,
    control: Control,
    progress: Progress,
  ): Promise<Evidence | undefined> {
    const { selection } = trained;
    const folds = selection?.heldOut.folds.filter((fold) => fold >= 0) ?? [];
    if (selection === undefined || folds.length === 0) {
      return undefined;
    }
    const fold = Math.min(...folds);
    const rows = indicesOf(selection.assigned, (each) => each === fold);
    const others = indicesOf(selection.assigned, (each) => each !== fold);
    if (!(await this.#trainWithout(others, data, headData, trained, control, progress))) {
      return undefined;
    }
    const { model } = this;
    const { manifest } = this.head;
    const samples = this.head.dataset(headData, headData.samples);
    const part = model.dataset(data, takeSamples(data.samples, rows));
    const [tuned, head] = [new HeldOutOutputs(samples), new HeldOutOutputs(samples)];
    const { outputs } = await model.evaluate(part);
    const { behind, rows: stored } = await this.#features(data.samples);
    const storedRows = new Set(stored);
    const places = indicesOf(rows, (row) => storedRows.has(row)); // among the held-out rows
    if (places.length === 0) {
      return undefined;
    }
    const heldOutRows = places.map((i) => rows[i] as number);
    tuned.set(fold, heldOutRows, outputs.take(places));
    head.set(fold, heldOutRows, selection.heldOut.outputs.take(heldOutRows));
    const isBetter =
      (await tuned.loss(manifest, samples)) < (await head.loss(manifest, samples)) ||
      tuned.accuracy(manifest, samples) > head.accuracy(manifest, samples);
    return { heldOut: tuned, features: inMemory(behind.features), isBetter };
  }

  /** Train the head, then layers and head, on some of the rows; return whether it ended. */
  async #trainWithout(
    rows: readonly number[],
    data: TrainingData,
    headData: TrainingData,
    { config, selection }: HeadTraining,
    control: Control,
    progress: Progress,
  ): Promise<boolean> {
    const { model } = this;
    const training = await StagedTraining.create(
      this.head,
      config,
      partOf(headData, rows),
      control,
    );
    for (let stage = 0; stage < (selection?.stages ?? 0); stage += 1) {
      await training.run();
    }
    const part = partOf(data, rows);
    await model.engine.restore(this.#start(await model.engine.variables()));
    const trainer = this.#trainer(part, control);
    const schedule = await this.#schedule(part, control);
    await trainer.run(schedule, progress.nextPart(this.#epochs(data)));
    return !(training.history.stopped || trainer.history.stopped);
  }

  /**
   * Validate the present weights by the outputs of the training without a fold.
   *
   * The layers have seen all samples, so the threshold of the OOD detector follows from the features
   * behind the layers of the other training.
   */
  async #validate(
    data: TrainingData,
    { selection }: HeadTraining,
    evidence: Evidence | undefined,
  ): Promise<Validation | undefined> {
    if (selection === undefined) {
      return undefined;
    }
    const used: Selection =
      evidence === undefined
        ? selection
        : { ...selection, assigned: evidence.heldOut.folds, heldOut: evidence.heldOut };
    const { behind, rows } = await this.#features(data.samples);
    if (rows.length === 0) {
      return undefined;
    }
    const samples = takeSamples(behind, rows);
    const features = evidence?.features.map((each) => each.take(rows));
    const ofRows: Selection = {
      stages: used.stages,
      assigned: rows.map((row) => used.assigned[row] as number),
      heldOut: used.heldOut.take(rows, this.head.dataset(data, samples)),
    };
    const rest = { ...data, samples, heldOut: undefined };
    return validate(this.head, rest, ofRows, this.config, features);
  }

  /** Return weights with the initial state of the optimizer, and temperature 1. */
  #start(variables: Variables): Variables {
    const { manifest, untrained } = this.model;
    const states = manifest.variables.filter(({ role }) => role === OPTIMIZER_STATE);
    const names = [...states.map(({ name }) => name), TEMPERATURE];
    const initial = names.map((name) => [name, untrained[name] as Float32Array]);
    return { ...variables, ...Object.fromEntries(initial) };
  }

  #trainer(data: TrainingData, control: Control): Trainer {
    const { model } = this;
    const { engine, manifest } = model;
    const { seed, patience } = this.config;
    const samples = model.trainingSamples(data);
    const heldOut = data.heldOut && model.dataset(data, data.heldOut);
    return new Trainer({ engine, manifest, samples, control, seed, heldOut, patience });
  }

  /** Return the schedule of a training that starts from the present weights. */
  async #schedule(data: TrainingData, control: Control): Promise<Schedule> {
    const { model, config } = this;
    const samples = model.trainingSamples(data);
    this.#rate ??= await searchLayerRate(model, samples, control, config.seed);
    const [epochs, batches] = [this.#epochs(data), this.#batches(data)];
    return { epochs, batches, peak: this.#rate, decay: config.decay };
  }

  #epochs(data: TrainingData): number {
    const batches = this.#batches(data);
    const steps = clamp(STEPS.epochs * batches, STEPS.least, STEPS.most);
    return this.config.epochs ?? Math.ceil(steps / batches);
  }

  #batches(data: TrainingData): number {
    return Math.ceil(data.samples.samples.length / this.model.manifest.batch_size);
  }
}
