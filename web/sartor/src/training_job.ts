/** A training in the worker: the result of `PersonalModel.fit`. */

import type { Epoch, History } from './results/records.js';
import type { TrainingOptions } from './training/config.js';
import type { WorkerClient } from './worker/client.js';

/** Functions that a training calls, and the signal that stops it. */
export interface FitCallbacks {
  /** Called after each epoch. Default: none. */
  readonly onEpoch?: ((epoch: Epoch) => void) | undefined;
  /** Stops the training when it is aborted. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** A running training. */
export class TrainingJob {
  readonly #client: WorkerClient;
  readonly #number: number;
  #running = true;

  /**
   * The history of the training, at its end.
   *
   * It rejects with a TrainingError if the loss rises or is no longer finite, or if another
   * training is running, and with a DataError if there are no samples, or an option is out of
   * range; the weights before the training stay.
   */
  readonly history: Promise<History>;

  private constructor(client: WorkerClient, number: number, history: Promise<History>) {
    this.#client = client;
    this.#number = number;
    this.history = history.finally(() => {
      this.#running = false;
    });
  }

  /** Start a training; see `PersonalModel.fit`. */
  static start(
    client: WorkerClient,
    options: TrainingOptions,
    { onEpoch = () => {}, signal }: FitCallbacks,
  ): TrainingJob {
    const number = client.newJob(onEpoch);
    const stop = () => void client.call('stop', [number]);
    const history = client.call('fit', [number, options]).finally(() => {
      client.endJob(number);
      signal?.removeEventListener('abort', stop);
    });
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) {
      stop();
    }
    return new TrainingJob(client, number, history);
  }

  /** Whether the training has not ended. A paused training is running. */
  get running(): boolean {
    return this.#running;
  }

  /** Pause before the next step. Predictions continue to work. */
  pause(): Promise<void> {
    return this.#client.call('pause', [this.#number]);
  }

  /** Continue after `pause`. */
  resume(): Promise<void> {
    return this.#client.call('resume', [this.#number]);
  }

  /** End the training after the present step; its weights are kept if their loss is lower. */
  stop(): Promise<void> {
    return this.#client.call('stop', [this.#number]);
  }
}
