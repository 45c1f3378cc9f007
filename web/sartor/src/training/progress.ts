/** The epochs of a training of several parts. */

import type { Epoch } from '../results/records.js';
import type { EpochCallback } from './trainer.js';

/** The epochs of all parts of a training, numbered on from those of the head. */
export class Progress {
  /** The epochs until now. */
  readonly epochs: Epoch[];
  /** Whether the callback has stopped the training. */
  stopped = false;

  /**
   * @param onEpoch - called after each epoch; returning false stops the training.
   * @param epochs - epochs of the head.
   */
  constructor(
    private readonly onEpoch: EpochCallback | undefined,
    epochs: readonly Epoch[],
  ) {
    this.epochs = [...epochs];
  }

  /** Return the callback of the next part, which `later` more epochs follow. */
  nextPart(later = 0): EpochCallback {
    const first = this.epochs.length;
    return async (part) => {
      const planned = first + part.epochs + later;
      const epoch = { ...part, epoch: first + part.epoch, epochs: planned };
      this.epochs.push(epoch);
      const result = await this.onEpoch?.(epoch);
      this.stopped = result === false;
      return result;
    };
  }
}
