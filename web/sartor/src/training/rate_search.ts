/**
 * A search for the learning rate of heads whose curvature is unknown.
 *
 * For a linear head, the largest stable rate follows from the lengths of the features. For a head
 * of a user it depends on every layer. So some rates are tried for a few steps (Smith, 2017).
 */

import type { Dataset } from '../data/dataset.js';
import { TrainingError } from '../errors.js';
import type { Control } from './control.js';
import { Trainer } from './trainer.js';
import type { TrainingModel } from './training_model.js';

const SEARCH = {
  /** Steps and batches of each trial. */
  steps: 20,
  batches: 4,
  /** The first rate, or 16 times the default if that is higher. */
  top: 1,
  topAdaptive: 0.1,
  topFactor: 16,
  /** Each rate is this fraction of the one before. */
  factor: 1 / 4,
  trials: 14,
  /** Of the loss before: such losses are equally good. */
  tolerance: 0.01,
  /** Rates no better than the best: losses of rates that are too high are erratic. */
  patience: 2,
  /** Of the rate with the lowest loss. */
  stableFraction: 0.5,
  /** Of a time limit. */
  timeFraction: 0.25,
  /** The first rate of tuned layers, and the number of trials. */
  layerTop: 0.25,
  layerTopAdaptive: 8e-3,
  layerTrials: 5,
} as const;

/**
 * Return half of the learning rate that lowers the loss most in twenty steps.
 *
 * Rates are tried from high to low, until the loss of two in succession is higher again. Of rates
 * that are equally good, the lowest counts.
 *
 * @param model - holds the starting weights, before and after the call.
 * @param samples - training samples.
 * @param standard - learning rate to return if no rate lowers the loss, or there is no time.
 * @param control - pauses and stops the search.
 * @param seed - seed of the order of the samples.
 */
export async function searchRate(
  model: TrainingModel,
  samples: Dataset,
  standard: number,
  control: Control,
  seed: number,
): Promise<number> {
  const { adaptive } = model.manifest.optimizer.step;
  const start = await model.engine.variables();
  const few = samples.take(samples.mixedRows(SEARCH.batches * model.manifest.batch_size, seed));
  let lowest = (await model.evaluate(few)).loss;
  const tolerance = SEARCH.tolerance * lowest;
  let best: number | undefined;
  let worse = 0;
  let rate = Math.max(adaptive ? SEARCH.topAdaptive : SEARCH.top, SEARCH.topFactor * standard);
  for (let trial = 0; trial < SEARCH.trials; trial += 1) {
    const loss = await lossAfterTrial(model, few, rate, control, seed);
    await model.engine.restore(start);
    if (loss < lowest + (best === undefined ? 0 : tolerance)) {
      lowest = Math.min(loss, lowest);
      best = rate;
      worse = 0;
    } else if (best !== undefined) {
      worse += 1;
    }
    if (worse === SEARCH.patience || control.stopped || control.used > SEARCH.timeFraction) {
      break;
    }
    rate *= SEARCH.factor;
  }
  return best === undefined ? standard : SEARCH.stableFraction * best;
}

/**
 * Return a learning rate for tuned layers with a trained head.
 *
 * It is the highest of some rates, each a quarter of the one before, at which twenty steps do not
 * raise the loss.
 *
 * @param model - holds the starting weights, before and after the call.
 * @param samples - training samples.
 * @param control - pauses and stops the search.
 * @param seed - seed of the order of the samples.
 */
export async function searchLayerRate(
  model: TrainingModel,
  samples: Dataset,
  control: Control,
  seed: number,
): Promise<number> {
  const { optimizer, batch_size } = model.manifest;
  const start = await model.engine.variables();
  const few = samples.take(samples.mixedRows(SEARCH.batches * batch_size, seed));
  const before = (await model.evaluate(few)).loss;
  let rate: number = optimizer.step.adaptive ? SEARCH.layerTopAdaptive : SEARCH.layerTop;
  for (let trial = 0; trial < SEARCH.layerTrials; trial += 1) {
    const loss = await lossAfterTrial(model, few, rate, control, seed);
    await model.engine.restore(start);
    if (loss <= before || !(await control.wait())) {
      break;
    }
    rate *= SEARCH.factor;
  }
  return rate;
}

/** Train some steps at a constant rate, and return the loss; infinity if that failed. */
async function lossAfterTrial(
  model: TrainingModel,
  samples: Dataset,
  rate: number,
  control: Control,
  seed: number,
): Promise<number> {
  const { engine, manifest } = model;
  const batches = Math.ceil(samples.rows / manifest.batch_size);
  const trainer = new Trainer({ engine, manifest, samples, control, seed });
  const epochs = Math.ceil(SEARCH.steps / batches);
  try {
    await trainer.run({ epochs, batches, peak: rate, decay: 'constant' });
  } catch (error) {
    if (error instanceof TrainingError) {
      return Number.POSITIVE_INFINITY;
    }
    throw error;
  }
  const loss = trainer.history.stopped ? Number.NaN : (await model.evaluate(samples)).loss;
  return Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY;
}
