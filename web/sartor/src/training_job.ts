/** A training in the worker: the result of `PersonalModel.fit`. */

import type { History } from './results/records.js';
import type { WorkerClient } from './worker/client.js';

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

  /** For `PersonalModel.fit`. */
  constructor(client: WorkerClient, number: number, history: Promise<History>) {
    this.#client = client;
    this.#number = number;
    this.history = history.finally(() => {
      this.#running = false;
    });
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
