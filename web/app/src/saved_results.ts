/** The result of the last training, as a text beside the samples. The Android app reads it too. */

import type { History, PersonalModel } from 'sartor';
import { weightsDigest } from './weights.js';

/** What the app shows of a training. */
export interface TrainingResult {
  /** Mean loss of each epoch; of a long training, that of some epochs. */
  readonly losses: readonly number[];
  /** See `History`. */
  readonly expectedAccuracy: number | undefined;
  readonly samples: number;
  readonly warnings: readonly string[];
  /** Digest of the weights after the training; undefined if another app has stored none. */
  readonly weights: string | undefined;
}

const KEY = 'camera/training';
const MOST_EPOCHS = 300; // of the stored losses

/** Return what the app shows of a training, which has just ended. */
export async function resultOf(model: PersonalModel, history: History): Promise<TrainingResult> {
  const { epochs, expectedAccuracy, samples, warnings } = history;
  const losses = epochs.map(({ loss }) => loss);
  return { losses, expectedAccuracy, samples, warnings, weights: await weightsDigest(model) };
}

/** Store the result of a training; undefined deletes that of the last one. */
export async function saveResult(
  model: PersonalModel,
  result: TrainingResult | undefined,
): Promise<void> {
  if (result === undefined) {
    await model.setAppData(KEY, undefined);
    return;
  }
  const losses = thin(result.losses);
  const fields = { ...result, losses, epochs: losses.length, head: headOf(model) };
  await model.setAppData(KEY, JSON.stringify(fields));
}

/** Return the result of the training that gave a model its weights; undefined if there is none. */
export async function loadResult(model: PersonalModel): Promise<TrainingResult | undefined> {
  const result = parseResult((await model.appData(KEY)).get(KEY), headOf(model));
  return result !== undefined && (await isCurrent(model, result)) ? result : undefined;
}

/** Return whether a model still has the weights that a result belongs to. */
export async function isCurrent(
  model: PersonalModel,
  { weights }: TrainingResult,
): Promise<boolean> {
  return weights === undefined || weights === (await weightsDigest(model));
}

/**
 * Return the result in a text, which anyone may have written; undefined if it has none.
 *
 * @param head - head of the model: the samples are those of a base, and so of all of its heads.
 */
export function parseResult(text: string | undefined, head: string): TrainingResult | undefined {
  try {
    const fields = JSON.parse(text ?? '');
    const { losses, expectedAccuracy, samples, warnings, weights } = fields;
    const isResult =
      Array.isArray(losses) &&
      losses.length <= 100 * MOST_EPOCHS &&
      losses.every(Number.isFinite) &&
      Number.isSafeInteger(samples) &&
      Array.isArray(warnings) &&
      warnings.every((warning) => typeof warning === 'string') &&
      (weights === undefined || typeof weights === 'string') &&
      (fields.head ?? head) === head;
    const isFraction =
      Number.isFinite(expectedAccuracy) && expectedAccuracy >= 0 && expectedAccuracy <= 1;
    const accuracy = isFraction ? Number(expectedAccuracy) : undefined;
    return isResult
      ? { losses, expectedAccuracy: accuracy, samples, warnings, weights }
      : undefined;
  } catch {
    return undefined;
  }
}

function headOf({ manifest }: PersonalModel): string {
  return manifest.fingerprints.head.slice(0, 16);
}

/** Return at most `MOST_EPOCHS` values, among them the last one. */
function thin(values: readonly number[]): readonly number[] {
  const step = Math.ceil(values.length / MOST_EPOCHS);
  return values.filter((_, i) => (values.length - 1 - i) % step === 0);
}
