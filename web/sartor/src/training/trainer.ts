/** The training loop: epochs of steps on one engine. */

import {
  LEARNING_RATE,
  LOSS,
  type Manifest,
  OUTPUT,
  WEIGHT_DECAY,
} from '../../../../contract/generated/contract.js';
import { Batch, evaluateBatches } from '../data/batches.js';
import type { Dataset } from '../data/dataset.js';
import { Matrix } from '../data/matrix.js';
import { accuracy, TASKS } from '../data/tasks.js';
import { TrainingError } from '../errors.js';
import type { Engine } from '../litert/engine.js';
import { split, sum } from '../numbers.js';
import { RandomNumbers } from '../random_numbers.js';
import type { Epoch, History } from '../results/records.js';
import type { Control } from './control.js';
import { EarlyStopping } from './early_stopping.js';
import { rateOf, type Schedule, stepsOf } from './schedule.js';

/** Called after each epoch, and awaited; returning false stops the training. */
export type EpochCallback = (epoch: Epoch) => unknown;

/** What a trainer needs. */
export interface TrainerOptions {
  /** Engine that holds the model; nothing else may call it. */
  readonly engine: Engine;
  readonly manifest: Manifest;
  /** Training samples, at least one. */
  readonly samples: Dataset;
  /** Pauses and stops the training between steps. */
  readonly control: Control;
  /** Seed of the order of the samples. The same seed gives the same weights. */
  readonly seed: number;
  /** Samples for early stopping: the weights with the lowest loss on them are kept. */
  readonly heldOut?: Dataset | undefined;
  /** Number of epochs without a lower loss on `heldOut` that ends the training. */
  readonly patience?: number | undefined;
}

/** One step: the loss and the outputs of its rows are those before the update. */
interface Step {
  readonly rows: Uint32Array;
  readonly learningRate: number;
  readonly loss: number;
  readonly outputs: Matrix;
}

/** Trains the model of an engine on one data set, in one stage or several. */
export class Trainer {
  readonly #options: TrainerOptions;
  readonly #batch: Batch;
  readonly #numbers: RandomNumbers;
  readonly #earlyStopping: EarlyStopping | undefined;
  readonly #epochs: Epoch[] = [];
  #steps = 0;
  #stopped = false;

  constructor(options: TrainerOptions) {
    const { manifest, samples, seed, heldOut, patience } = options;
    const targets = TASKS[manifest.task].trainingTargets(samples.targets);
    this.#options = { ...options, samples: samples.withTargets(targets) };
    this.#batch = new Batch(manifest);
    this.#numbers = new RandomNumbers(seed);
    this.#earlyStopping = heldOut === undefined ? undefined : new EarlyStopping(heldOut, patience);
  }

  /** The history of all stages until now. */
  get history(): History {
    return {
      epochs: [...this.#epochs],
      steps: this.#steps,
      samples: this.#options.samples.sampleCount,
      stopped: this.#stopped,
      depth: 'head',
      warnings: [],
    };
  }

  /**
   * Train one stage from the present weights of the engine.
   *
   * An error of `onEpoch` ends the training and is thrown; the present weights stay.
   *
   * @param schedule - number of epochs, learning rates and weight decay.
   * @param onEpoch - called after each epoch. Without it, the history has no epochs: of a few
   *   samples, they would take longer than the steps.
   * @param planned - number of epochs of all stages, for `onEpoch`. Default: those until the end of
   *   this stage.
   * @throws TrainingError if the loss or a weight is no longer finite.
   */
  async run(schedule: Schedule, onEpoch?: EpochCallback, planned = 0): Promise<void> {
    const { engine, control } = this.#options;
    await this.#setWeightDecay(schedule);
    const last = Math.max(planned, this.#epochs.length + schedule.epochs);
    const isComplete = await this.#runEpochs(schedule, onEpoch, last);
    await this.#checkWeights();
    this.#stopped = !(isComplete || this.#isConverged || control.used === 1);
    if (this.#earlyStopping?.best !== undefined) {
      await engine.restore(this.#earlyStopping.best);
    }
  }

  /** Train epoch by epoch; return whether all were completed. */
  async #runEpochs(
    schedule: Schedule,
    onEpoch: EpochCallback | undefined,
    planned: number,
  ): Promise<boolean> {
    const start = this.#steps;
    for (let epoch = 1; epoch <= schedule.epochs; epoch += 1) {
      const steps = await this.#runEpoch(schedule, start);
      if (steps === undefined) {
        return false;
      }
      await this.#noteHeldOutLoss();
      let isRefused = false;
      if (onEpoch !== undefined) {
        const summary = this.#summary(steps, planned);
        this.#epochs.push(summary);
        isRefused = (await onEpoch(summary)) === false;
      }
      if (isRefused || this.#options.control.stopped || this.#isConverged) {
        return epoch === schedule.epochs;
      }
    }
    return true;
  }

  /** Train one epoch in random order; return undefined if it was stopped. */
  async #runEpoch(schedule: Schedule, start: number): Promise<Step[] | undefined> {
    const { control, samples } = this.#options;
    const order = this.#numbers.permutation(samples.rows);
    const steps: Step[] = [];
    for (const part of split(order.length, schedule.batches)) {
      if (!(await control.wait())) {
        return undefined;
      }
      const progress = Math.max((this.#steps - start) / stepsOf(schedule), control.used);
      steps.push(
        await this.#step(order.subarray(part.start, part.end), rateOf(schedule, progress)),
      );
    }
    return steps;
  }

  async #setWeightDecay({ weightDecay }: Schedule): Promise<void> {
    const { engine } = this.#options;
    if (weightDecay !== undefined) {
      const value = Float32Array.of(weightDecay);
      await engine.restore({ ...(await engine.variables()), [WEIGHT_DECAY]: value });
    }
  }

  /** Train one step on some rows. */
  async #step(rows: Uint32Array, learningRate: number): Promise<Step> {
    const { engine, manifest, samples } = this.#options;
    const inputs = this.#batch.labelledInputs(samples, rows);
    const rate = { [LEARNING_RATE]: Float32Array.of(learningRate) };
    const result = await engine.run('train', { ...inputs, ...rate });
    this.#steps += 1;
    const loss = (result[LOSS] as Float32Array)[0] as number;
    if (!Number.isFinite(loss)) {
      throw this.#notFinite('the loss');
    }
    const outputs = new Matrix(result[OUTPUT] as Float32Array, manifest.classes.length);
    return { rows, learningRate, loss, outputs: outputs.first(rows.length) };
  }

  /** Return the mean loss and the accuracy of the steps of an epoch. */
  #summary(steps: readonly Step[], planned: number): Epoch {
    const { manifest, samples } = this.#options;
    const rows = steps.flatMap((step) => [...step.rows]);
    const weights = samples.weights.take(rows);
    const sums = steps.map((step) => sum(samples.weights.take(step.rows).data));
    const losses = steps.map((step, i) => step.loss * (sums[i] as number));
    const outputs = Matrix.stack(steps.map((step) => step.outputs));
    const hasAccuracy = manifest.task !== 'regression';
    return {
      epoch: this.#epochs.length + 1,
      epochs: planned,
      loss: sum(losses) / sum(sums),
      accuracy: hasAccuracy
        ? accuracy(TASKS[manifest.task], outputs, samples.targets.take(rows), weights)
        : undefined,
      learningRate: steps.at(-1)?.learningRate ?? 0,
      heldOutLoss: this.#earlyStopping?.loss,
    };
  }

  async #noteHeldOutLoss(): Promise<void> {
    const stopping = this.#earlyStopping;
    if (stopping !== undefined) {
      const { engine } = this.#options;
      const { loss } = await evaluateBatches(engine, this.#batch, stopping.samples);
      await stopping.note(loss, engine);
    }
  }

  get #isConverged(): boolean {
    return this.#earlyStopping?.isOver ?? false;
  }

  async #checkWeights(): Promise<void> {
    for (const [name, values] of Object.entries(await this.#options.engine.variables())) {
      if (!values.every(Number.isFinite)) {
        throw this.#notFinite(name);
      }
    }
  }

  #notFinite(name: string): TrainingError {
    return new TrainingError(
      `${name} is no longer finite after ${this.#steps} steps; the weights before the training ` +
        'stay. Train with a lower learning rate',
    );
  }
}
