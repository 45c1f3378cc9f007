/** Training jobs in the worker: at most one at a time, on an engine of its own. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import { DataError, TrainingError } from '../errors.js';
import type { Engine } from '../litert/engine.js';
import type { Epoch, History } from '../results/records.js';
import type { SampleCollection } from '../samples.js';
import type { ModelState } from '../state.js';
import {
  secondsOfPart,
  type TrainingConfig,
  type TrainingOptions,
  trainingConfig,
} from '../training/config.js';
import { Control } from '../training/control.js';
import { createTrainingData } from '../training/data.js';
import { type Publish, trainHead } from '../training/fit.js';
import { LayerTraining } from '../training/layers.js';
import { TrainingModel } from '../training/training_model.js';
import type { Lock } from './lock.js';

interface Job {
  readonly number: number;
  readonly control: Control;
  /** Resolves at the end of the training, also if it fails. */
  readonly end: Promise<unknown>;
}

/** The training jobs of one model. */
export class TrainingJobs {
  readonly #manifest: Manifest;
  readonly #samples: SampleCollection;
  readonly #state: ModelState;
  readonly #lock: Lock;
  #job: Job | undefined;
  #model: TrainingModel | undefined;

  /**
   * @param manifest - manifest of the model.
   * @param samples - training samples.
   * @param state - receives the weights.
   * @param lock - held while samples and state are read or changed.
   */
  constructor(manifest: Manifest, samples: SampleCollection, state: ModelState, lock: Lock) {
    this.#manifest = manifest;
    this.#samples = samples;
    this.#state = state;
    this.#lock = lock;
  }

  /**
   * Train, and publish the weights.
   *
   * @param number - number of the job.
   * @param options - options of the training.
   * @param onEpoch - called after each epoch.
   * @throws TrainingError if a job is running, or the loss rises; the weights stay.
   * @throws DataError if there are no samples, or an option is out of range.
   */
  async run(
    number: number,
    options: TrainingOptions,
    onEpoch: (epoch: Epoch) => void,
  ): Promise<History> {
    if (this.#job !== undefined) {
      throw new TrainingError('a training is running: wait for it, or stop it');
    }
    const config = trainingConfig(options);
    if (config.depth === 'layers' && this.#manifest.layers === null) {
      throw new DataError(
        "depth must be 'auto' or 'head'; got 'layers': the model has no tuned layers. Convert its " +
          'base with --fine-tune',
      );
    }
    const control = new Control(secondsOfPart(config, this.#manifest));
    const history = this.#train(config, control, onEpoch);
    this.#job = { number, control, end: history.catch(() => {}) };
    try {
      return await history;
    } finally {
      this.#job = undefined;
    }
  }

  /** Pause a job before its next step. */
  pause(number: number): void {
    this.#controlOf(number)?.pause();
  }

  /** Continue a job after `pause`. */
  resume(number: number): void {
    this.#controlOf(number)?.resume();
  }

  /** End a job after its present step; undefined for the running one. */
  stop(number: number | undefined): void {
    this.#controlOf(number)?.stop();
  }

  /** Stop a running job, and wait for its end. */
  async stopAndWait(): Promise<void> {
    while (this.#job !== undefined) {
      this.#job.control.stop();
      await this.#job.end;
      await Promise.resolve(); // `run` ends after its history
    }
  }

  /** Release the memory. */
  close(): void {
    this.#model?.engine.close();
  }

  async #train(
    config: TrainingConfig,
    control: Control,
    onEpoch: (epoch: Epoch) => void,
  ): Promise<History> {
    const data = await this.#lock.run(async () => {
      const samples = this.#samples.store.select(false);
      const heldOut = this.#samples.store.select(true);
      const model = await this.#state.beginTraining();
      return createTrainingData(this.#manifest, config, model, samples, heldOut);
    });
    this.#model ??= await TrainingModel.create(await this.#copy(), this.#manifest);
    const publish: Publish = (variables, detector) => {
      return this.#lock.run(() => this.#state.publish(variables, detector));
    };
    if (this.#manifest.layers === null) {
      return (await trainHead(this.#model, config, data, control, publish, onEpoch)).history;
    }
    const training = await LayerTraining.create(this.#model, config, control, publish);
    const history = await training.run(data, onEpoch);
    await this.#lock.run(() => this.#samples.imprintNewClasses());
    return history;
  }

  #copy(): Promise<Engine> {
    return this.#lock.run(async () => (await this.#state.engine()).copy());
  }

  #controlOf(number: number | undefined): Control | undefined {
    const isMeant = number === undefined || this.#job?.number === number;
    return isMeant ? this.#job?.control : undefined;
  }
}
