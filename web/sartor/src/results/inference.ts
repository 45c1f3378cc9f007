/** The result of the signature `infer`. */

import type { Matrix } from '../data/matrix.js';

/** What the model computes for one input. */
export interface Inference {
  /** One row of each features tensor. */
  readonly features: readonly Matrix[];
  /** Class name → output. */
  readonly outputs: ReadonlyMap<string, number>;
  /** Whether the input is in-distribution; undefined without a detector. */
  readonly inDistribution: boolean | undefined;
}
