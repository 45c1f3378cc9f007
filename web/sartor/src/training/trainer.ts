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
    const { manifest, seed, heldOut, patience } = options;
    this.#options = options;
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
      warnings: [],
    };
  }

  /**
   * Train one stage from the present weights of the engine.
   *
   * An error of `onEpoch` ends the training and is thrown; the present weights stay.
   *
   * @param schedule - number of epochs, learning rates and weight decay.
   * @param onEpoch - called after each epoch.
   * @param planned - number of epochs of all stages, for `onEpoch`. Default: those until the end of
   *   this stage.
   * @throws TrainingError if the loss or a weight is no longer finite.
   */
  async run(schedule: Schedule, onEpoch?: EpochCallback, planned = 0): Promise<void> {
    const { engine, control } = this.#options;
    const start = this.#steps;
    const last = this.#epochs.length + schedule.epochs;
    await this.#setWeightDecay(schedule);
    while (this.#epochs.length < last) {
      const epoch = await this.#epoch(schedule, start, Math.max(planned, last));
      if (epoch === undefined) {
        break;
      }
      this.#epochs.push(epoch);
      const isStopped = (await onEpoch?.(epoch)) === false;
      if (isStopped || control.stopped || this.#isConverged) {
        break;
      }
    }
    await this.#checkWeights();
    const isComplete = this.#epochs.length === last || this.#isConverged || control.used === 1;
    this.#stopped = !isComplete;
    if (this.#earlyStopping?.best !== undefined) {
      await engine.restore(this.#earlyStopping.best);
    }
  }

  /** Train one epoch in random order; return undefined if it was stopped. */
  async #epoch(schedule: Schedule, start: number, planned: number): Promise<Epoch | undefined> {
    const { control, samples } = this.#options;
    const order = this.#numbers.permutation(samples.rows);
    const parts = split(order.length, schedule.batches).map(({ start, end }) => {
      return order.subarray(start, end);
    });
    const losses: number[] = [];
    const outputs: Matrix[] = [];
    let learningRate = 0;
    for (const part of parts) {
      if (!(await control.wait())) {
        return undefined;
      }
      const progress = Math.max((this.#steps - start) / stepsOf(schedule), control.used);
      learningRate = rateOf(schedule, progress);
      const step = await this.#step(part, learningRate);
      losses.push(step.loss);
      outputs.push(step.output);
    }
    return {
      epoch: this.#epochs.length + 1,
      epochs: planned,
      loss: this.#meanLoss(parts, losses),
      accuracy: this.#accuracy(order, outputs),
      learningRate,
      heldOutLoss: await this.#heldOutLoss(),
    };
  }

  async #setWeightDecay({ weightDecay }: Schedule): Promise<void> {
    const { engine } = this.#options;
    if (weightDecay !== undefined) {
      const value = Float32Array.of(weightDecay);
      await engine.restore({ ...(await engine.variables()), [WEIGHT_DECAY]: value });
    }
  }

  /** Train one step on some rows; return their loss and outputs before the update. */
  async #step(rows: Uint32Array, rate: number): Promise<{ loss: number; output: Matrix }> {
    const { engine, manifest, samples } = this.#options;
    const inputs = this.#batch.labelledInputs(samples, rows);
    const result = await engine.run('train', { ...inputs, [LEARNING_RATE]: Float32Array.of(rate) });
    this.#steps += 1;
    const loss = (result[LOSS] as Float32Array)[0] as number;
    if (!Number.isFinite(loss)) {
      throw this.#notFinite('the loss');
    }
    const output = new Matrix(result[OUTPUT] as Float32Array, manifest.classes.length);
    return { loss, output: output.first(rows.length) };
  }

  #meanLoss(parts: readonly Uint32Array[], losses: readonly number[]): number {
    const { weights } = this.#options.samples;
    const sums = parts.map((rows) => sum(weights.take(rows).data));
    return sum(sums.map((each, part) => each * (losses[part] as number))) / sum(sums);
  }

  #accuracy(order: Uint32Array, outputs: readonly Matrix[]): number | undefined {
    const { manifest, samples } = this.#options;
    if (manifest.task === 'regression') {
      return undefined;
    }
    const [targets, weights] = [samples.targets.take(order), samples.weights.take(order)];
    return accuracy(TASKS[manifest.task], Matrix.stack(outputs), targets, weights);
  }

  /** Return the loss on the held-out samples, and note it for early stopping. */
  async #heldOutLoss(): Promise<number | undefined> {
    const stopping = this.#earlyStopping;
    if (stopping === undefined) {
      return undefined;
    }
    const { engine } = this.#options;
    const { loss } = await evaluateBatches(engine, this.#batch, stopping.samples);
    await stopping.note(loss, engine);
    return loss;
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
