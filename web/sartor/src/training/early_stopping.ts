/** Early stopping: the weights with the lowest loss on held-out samples. */

import type { Dataset } from '../data/dataset.js';
import type { Engine, Variables } from '../litert/engine.js';

/** The weights with the lowest loss on held-out samples. */
export class EarlyStopping {
  /** The weights with the lowest loss; undefined before the first epoch. */
  best: Variables | undefined;
  /** The loss of the last epoch; undefined before the first. */
  loss: number | undefined;
  #lowest = Number.POSITIVE_INFINITY;
  #waited = 0;

  /**
   * @param samples - held-out samples.
   * @param patience - number of epochs without a lower loss that ends a training. Default: no end.
   */
  constructor(
    readonly samples: Dataset,
    private readonly patience: number | undefined,
  ) {}

  /** Whether the loss has not fallen for `patience` epochs. */
  get isOver(): boolean {
    return this.patience !== undefined && this.#waited >= this.patience;
  }

  /** Note the loss of an epoch, and keep the weights if it is the lowest. */
  async note(loss: number, engine: Engine): Promise<void> {
    this.loss = loss;
    if (loss < this.#lowest) {
      this.best = await engine.variables();
      this.#lowest = loss;
      this.#waited = 0;
    } else {
      this.#waited += 1;
    }
  }
}
