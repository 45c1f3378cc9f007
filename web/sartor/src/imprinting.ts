/** Imprinting of the new classes whose samples have changed. */

import type { Manifest } from '../../../contract/generated/contract.js';
import type { ClassWeights } from './classes.js';
import { calibrate } from './confidence/imprinted.js';
import type { OODDetector } from './confidence/out_of_distribution.js';
import type { ClassIndices } from './data/dataset.js';
import type { Engine } from './litert/engine.js';
import type { NewClasses } from './new_classes.js';

/** An engine, and what sets the weights of its classes. */
export interface WritableModel {
  readonly engine: Engine;
  readonly manifest: Manifest;
  readonly weights: ClassWeights;
}

/**
 * Imprint the classes that have got samples since the last call, by rising index.
 *
 * If all classes are new, it sets the temperature of a classification too.
 *
 * @param model - model to change.
 * @param classIndices - class name → class index, of all classes by rising index.
 * @param newClasses - the classes that no training has changed.
 * @param detector - OOD detector in use.
 * @returns the detector, with prototypes of these classes.
 */
export async function imprintChanged(
  { engine, manifest, weights }: WritableModel,
  classIndices: ClassIndices,
  newClasses: NewClasses,
  detector: OODDetector | undefined,
): Promise<OODDetector | undefined> {
  let result = detector;
  for (const [label, index] of classIndices) {
    const mean = newClasses.means.get(label);
    if (mean === undefined || !newClasses.changed.has(label)) {
      continue;
    }
    await weights.imprint(index, mean.row());
    if (mean.count > 0) {
      result = result?.withClass(index, mean.row(), mean.count);
    }
  }
  newClasses.changed.clear();
  const labels = [...classIndices.keys()];
  if (manifest.task === 'classification' && labels.every((label) => newClasses.has(label))) {
    const means = labels.map((label) => newClasses.means.get(label)?.row() ?? []);
    await calibrate(engine, manifest, means);
  }
  return result;
}
