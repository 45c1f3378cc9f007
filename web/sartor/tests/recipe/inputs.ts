/** The inputs of the vectors as the library takes them. */

import type { Manifest, Task } from '../../../../contract/generated/contract.js';
import { type Dataset, trainingDataset } from '../../src/data/dataset.js';
import { Matrix } from '../../src/data/matrix.js';
import { range } from '../../src/numbers.js';
import type { SampleSet } from '../../src/store/sample_set.js';

/** Rows of numbers; null where a target is missing. */
export type Table = readonly (readonly (number | null)[])[];

/** Samples of a case. */
export interface Samples {
  readonly targets: Table;
  /** Number of the sample of each row. Default: each row is a sample. */
  readonly samples?: readonly number[];
  /** Features of all tensors, one after the other. Default: zeros. */
  readonly features?: Table;
}

/** Return a table as a matrix; null becomes NaN. */
export function matrix(table: Table, columns = table[0]?.length ?? 1): Matrix {
  const values = table.flatMap((row) => row.map((value) => value ?? Number.NaN));
  return new Matrix(Float32Array.from(values), columns);
}

/** Return a matrix as a table. */
export function table(rows: Matrix): number[][] {
  return range(rows.rows).map((row) => Array.from(rows.row(row)));
}

/** Return a column of ones in the columns of classes. */
export function oneHot(classes: readonly number[]): number[][] {
  const count = Math.max(...classes) + 1;
  return classes.map((index) => range(count).map((each) => (each === index ? 1 : 0)));
}

/** Return class name → class index for some classes. */
export function classIndices(count: number): Map<string, number> {
  return new Map(range(count).map((index) => [`class ${index}`, index]));
}

/**
 * Return samples as the store does.
 *
 * @param samples - samples of a case.
 * @param sizes - number of values of each features tensor. Default: one tensor.
 */
export function sampleSet({ targets, samples, features }: Samples, sizes?: number[]): SampleSet {
  const rows = features ?? targets.map(() => [0]);
  let start = 0;
  return {
    features: (sizes ?? [rows[0]?.length ?? 1]).map((size) => {
      const part = rows.map((row) => row.slice(start, start + size));
      start += size;
      return matrix(part, size);
    }),
    samples: samples ?? range(targets.length),
    targets: matrix(targets),
    classes: [...classIndices(targets[0]?.length ?? 0).keys()],
  };
}

/** Return the data set of samples for a model that has just their classes. */
export function dataset(task: Task, samples: Samples): Dataset {
  const count = samples.targets[0]?.length ?? 0;
  return trainingDataset(manifestOf(task, count), sampleSet(samples), classIndices(count));
}

/** Return a manifest with the values that the recipe needs, and others that are never read. */
export function manifestOf(task: Task, capacity: number, values: Partial<Manifest> = {}): Manifest {
  return {
    contract: 1,
    inputs: [],
    features: [],
    batch_size: 32,
    classes: range(capacity).map((index) => `class ${index}`),
    task,
    weights_per_output: task !== 'classification',
    head: { name: 'head', settings: {}, feature_norm: 1 },
    loss: { name: 'loss', settings: {}, curvature: 1 },
    optimizer: {
      name: 'optimizer',
      settings: {},
      step: { adaptive: false, momentum: 0, nesterov: false, first: null },
      clip_norm: null,
    },
    learning_rate: null,
    weight_decay: null,
    variables: [],
    fingerprints: { base: '', head: '', optimizer: '' },
    layers: null,
    frozen: null,
    requires: [],
    generator: '',
    class_keys: null,
    digest: '',
    ...values,
  };
}
