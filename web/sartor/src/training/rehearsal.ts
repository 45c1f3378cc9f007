/**
 * Prototypes in place of the samples of classes that have weights but no samples.
 *
 * A training on some of the classes would move the others out of the way. The prototypes of the
 * out-of-distribution detector, which a checkpoint holds, stand in for their samples
 * (pseudo-rehearsal, Robins 1995).
 */

import type { OODDetector } from '../confidence/out_of_distribution.js';
import { scaleToLength } from '../confidence/prototypes.js';
import { Dataset } from '../data/dataset.js';
import { Matrix } from '../data/matrix.js';
import { TASKS } from '../data/tasks.js';
import { indicesOf, largest, mean, norm, range } from '../numbers.js';
import { inMemory } from '../store/stored_features.js';

/**
 * Return a data set with the prototypes of some classes added as samples.
 *
 * They get the mean length of the features of the samples.
 *
 * @param dataset - samples of a classification.
 * @param detector - detector with the prototypes.
 * @param classes - class indices.
 */
export function addPrototypes(
  dataset: Dataset,
  detector: OODDetector,
  classes: readonly number[],
): Dataset {
  const { prototypes } = detector.parameters;
  const rows = indicesOf(prototypes.classes, (index) => classes.includes(index));
  const added = Matrix.filled(rows.length, dataset.targets.columns);
  rows.forEach((row, i) => {
    added.row(i)[prototypes.classes[row] as number] = 1;
  });
  const targets = Matrix.stack([dataset.targets, added]);
  const fractions = Float64Array.from([...dataset.fractions, ...rows.map(() => 1)]);
  const next = largest(dataset.samples) + 1;
  return new Dataset(
    appendRows(inMemory(dataset.features), prototypes.rows.take(rows)),
    targets,
    TASKS.classification.weights(targets, fractions),
    [...dataset.samples, ...rows.map((_, i) => next + i)],
    fractions,
  );
}

/** Append rows [R, F] to all features tensors, with the mean length of their rows. */
function appendRows(features: readonly Matrix[], rows: Matrix): Matrix[] {
  const lengths = range(features[0]?.rows ?? 0).map((row) => {
    return norm(features.map((matrix) => norm(matrix.row(row))));
  });
  for (const row of range(rows.rows)) {
    scaleToLength(rows.row(row), mean(lengths));
  }
  let column = 0;
  return features.map((matrix) => {
    const part = Matrix.filled(rows.rows, matrix.columns);
    for (const row of range(rows.rows)) {
      part.row(row).set(rows.row(row).subarray(column, column + matrix.columns));
    }
    column += matrix.columns;
    return Matrix.stack([matrix, part]);
  });
}
