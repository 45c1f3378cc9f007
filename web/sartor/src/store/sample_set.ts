/** Samples as the store returns them for a training. */

import type { Matrix } from '../data/matrix.js';
import { type Features, takeRows } from './stored_features.js';

/**
 * Samples as arrays, with a row for each sample and each augmentation, ordered by sample: N rows.
 */
export interface SampleSet {
  /** The values of each features tensor; they stay in the store in a file with tuned layers. */
  readonly features: Features;
  /** Number (ID) of the sample of each row, [N]. */
  readonly samples: readonly number[];
  /** Targets, [N, K]; NaN if a target is missing. */
  readonly targets: Matrix;
  /** K class names, in the order of their first samples. */
  readonly classes: readonly string[];
}

/** Return some of the rows of a sample set. */
export function takeSamples(set: SampleSet, rows: readonly number[]): SampleSet {
  return {
    features: takeRows(set.features, rows),
    samples: rows.map((row) => set.samples[row] as number),
    targets: set.targets.take(rows),
    classes: set.classes,
  };
}
