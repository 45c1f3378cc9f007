/** The training of one set of samples: from starting weights, stage by stage. */

import type { Dataset } from '../data/dataset.js';
import { TrainingError } from '../errors.js';
import type { Variables } from '../litert/engine.js';
import { split, sum } from '../numbers.js';
import { RandomNumbers } from '../random_numbers.js';
import type { History } from '../results/records.js';
import { inMemory, takeRows } from '../store/stored_features.js';
import type { TrainingConfig } from './config.js';
import type { Control } from './control.js';
import type { TrainingData } from './data.js';
import { trainingStages } from './path.js';
import { searchRate } from './rate_search.js';
import { defaultRate, type Schedule, type WeightedRows } from './schedule.js';
import { type EpochCallback, Trainer } from './trainer.js';
import type { TrainingModel } from './training_model.js';

/** A default learning rate that is too high. */
const RETRY = {
  most: 3,
  /** Of the rate before. */
  factor: 1 / 8,
  /** A loss above both has risen: 1.2 times that before, 0.9 times that of chance. */
  rise: 1.2,
  chance: 0.9,
} as const;

const RATE_BATCHES = 16; // that the default learning rate follows from

/**
 * The training of one set of samples.
 *
 * Several trainings may take turns in the same model: each keeps its weights between two stages.
 */
export class StagedTraining {
  /** Stages of the training; see `trainingStages`. */
  stages: readonly Schedule[] = [];
  /** Number of stages that were run. */
  completed = 0;
  readonly #samples: Dataset;
  readonly #mixed: Dataset;
  readonly #heldOut: Dataset | undefined;
  #variables: Variables | undefined;
  #hasDefaultRate = false;
  #trainer: Trainer;

  private constructor(
    private readonly model: TrainingModel,
    private config: TrainingConfig,
    private readonly data: TrainingData,
    private readonly control: Control,
  ) {
    this.#samples = model.trainingSamples(data);
    const rows = this.#samples.mixedRows(model.manifest.batch_size, config.seed);
    this.#mixed = this.#samples.take(rows);
    this.#heldOut = data.heldOut && model.dataset(data, data.heldOut);
    this.#trainer = this.#createTrainer();
  }

  /**
   * Prepare a training: choose its stages and learning rates.
   *
   * @param model - copy of the model, for training.
   * @param config - options.
   * @param data - samples and starting weights.
   * @param control - pauses and stops the training.
   */
  static async create(
    model: TrainingModel,
    config: TrainingConfig,
    data: TrainingData,
    control: Control,
  ): Promise<StagedTraining> {
    const training = new StagedTraining(model, config, data, control);
    training.stages = await training.#createStages();
    return training;
  }

  /** The history of the stages until now. */
  get history(): History {
    return { ...this.#trainer.history, samples: new Set(this.data.samples.samples).size };
  }

  /**
   * The options for the trainings of a cross-validation.
   *
   * They have the learning rate of this training, unless it is the default one of the features.
   */
  get foldConfig(): TrainingConfig {
    return this.config;
  }

  /** Set the weights that the training starts from. */
  async start(): Promise<void> {
    await this.model.start(this.data, this.#samples, this.#mixed);
  }

  /**
   * Train the next stage; the model then holds its weights.
   *
   * If the loss rises in the first stage with a default learning rate, the stage is repeated with a
   * lower one.
   *
   * @param onEpoch - called after each epoch.
   * @param planned - number of epochs of all stages, for `onEpoch`. Default: those until the end of
   *   this stage.
   * @throws TrainingError if the loss rises, or a loss or weight is no longer finite.
   */
  async run(onEpoch?: EpochCallback, planned = 0): Promise<void> {
    if (this.#variables === undefined) {
      await this.#runFirst(onEpoch, planned);
    } else {
      await this.model.engine.restore(this.#variables);
      await this.#trainer.run(this.stages[this.completed] as Schedule, onEpoch, planned);
    }
    this.#variables = await this.model.engine.variables();
    this.completed += 1;
  }

  /** Set the weights of the last complete stage. */
  async restore(): Promise<void> {
    if (this.#variables !== undefined) {
      await this.model.engine.restore(this.#variables);
    }
  }

  get #peak(): number {
    return this.stages[0]?.peak ?? 0;
  }

  async #runFirst(onEpoch: EpochCallback | undefined, planned: number): Promise<void> {
    for (let retry = 0; ; retry += 1) {
      await this.start();
      const before = (await this.model.evaluate(this.#mixed)).loss;
      try {
        await this.#trainer.run(this.stages[0] as Schedule, onEpoch, planned);
        if (!this.history.stopped) {
          await this.#checkLoss(before);
        }
        return;
      } catch (error) {
        const canRetry = this.#hasDefaultRate && retry < RETRY.most && this.control.used < 1;
        if (!(error instanceof TrainingError) || !canRetry) {
          throw error;
        }
        this.#lowerPeak();
        this.#trainer = this.#createTrainer();
      }
    }
  }

  #createTrainer(): Trainer {
    const { engine, manifest } = this.model;
    const { seed, patience } = this.config;
    const [samples, heldOut, control] = [this.#samples, this.#heldOut, this.control];
    return new Trainer({ engine, manifest, samples, control, seed, heldOut, patience });
  }

  /** Return the stages. */
  async #createStages(): Promise<Schedule[]> {
    const { manifest } = this.model;
    const stated = this.config.learningRate ?? manifest.learning_rate ?? undefined;
    this.#hasDefaultRate = stated === undefined;
    return trainingStages(manifest, this.config, {
      rows: this.#samples.rows,
      samples: this.#samples.effectiveSampleSize,
      outputs: this.data.classIndices.size,
      rate: stated ?? (await this.#defaultRate()),
      hasDefaultRate: this.#hasDefaultRate,
      isWarm: this.data.isWarm,
    });
  }

  async #defaultRate(): Promise<number> {
    const { manifest } = this.model;
    await this.model.normalize(this.data, this.#mixed);
    const standard = defaultRate(manifest, {
      batches: await this.#firstBatches(),
      outputs: this.data.classIndices.size || manifest.classes.length,
      magnitude: manifest.task === 'regression' ? this.#samples.targetRms : 1,
    });
    if (manifest.head.feature_norm !== null) {
      return standard;
    }
    await this.start();
    const { seed } = this.config;
    const rate = await searchRate(this.model, this.#samples, standard, this.control, seed);
    this.config = { ...this.config, learningRate: rate };
    return rate;
  }

  /** Return rows after normalization, and their weights, of the first batches to train on. */
  async #firstBatches(): Promise<WeightedRows[]> {
    const { rows: count, features, weights } = this.#samples;
    const order = new RandomNumbers(this.config.seed).permutation(count);
    const batches = Math.ceil(count / this.model.manifest.batch_size);
    const parts = split(count, batches).slice(0, RATE_BATCHES);
    const first = [...order.subarray(0, parts.at(-1)?.end)];
    const { classWeights } = this.model;
    const rows = await classWeights.normalize(inMemory(takeRows(features, first)));
    const sums = first.map((row) => sum(weights.row(row)));
    return parts.map(({ start, end }) => {
      return { rows: rows.slice(start, end), weights: sums.slice(start, end) };
    });
  }

  #lowerPeak(): void {
    const peak = this.#peak * RETRY.factor;
    this.stages = this.stages.map((stage) => ({ ...stage, peak }));
    this.config = { ...this.config, learningRate: peak };
  }

  /** Throw TrainingError if the loss of some samples is higher than before the training. */
  async #checkLoss(before: number): Promise<void> {
    const after = (await this.model.evaluate(this.#mixed)).loss;
    const limit = Math.max(RETRY.rise * before, RETRY.chance * this.#chanceLoss());
    if (!(after <= limit)) {
      throw new TrainingError(
        `the loss rose from ${before.toPrecision(3)} to ${after.toPrecision(3)} at learning rate ` +
          `${this.#peak.toPrecision(3)}; the weights before the training stay. Train with a lower ` +
          'learning rate',
      );
    }
  }

  #chanceLoss(): number {
    return {
      classification: Math.log(Math.max(2, this.data.classIndices.size)),
      multi_label: Math.log(2),
      regression: this.#samples.targetRms ** 2,
    }[this.model.manifest.task];
  }
}
