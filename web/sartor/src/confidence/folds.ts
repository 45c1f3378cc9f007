/** Assignment of samples to the folds of a cross-validation. */

import { distinct, largest, range, sortedBy } from '../numbers.js';
import { RandomNumbers } from '../random_numbers.js';

/** Number of folds of a cross-validation. */
export const FOLDS = 3;

/** Fold number of the rows outside the cross-validation. */
export const NO_FOLD = -1;

/**
 * Assign rows to folds: stratified by class, without splitting a group.
 *
 * The groups of a class are dealt to the folds in random order, the largest first.
 *
 * @param classes - class index of each row, [N].
 * @param groups - group of each row, [N], from 0; rows of one group, such as the augmentations of
 *   one sample and its near-duplicates, get the same fold.
 * @param seed - seed of the random order.
 * @returns the fold of each row, [N]; `NO_FOLD` for a row that is never held out, because its class
 *   has one group only and the training data would lack that class.
 */
export function assignFolds(
  classes: readonly number[],
  groups: readonly number[],
  seed: number,
): number[] {
  const sizes = range(largest(groups) + 1).map(() => 0);
  for (const group of groups) {
    sizes[group] = (sizes[group] as number) + 1;
  }
  const order = sortedBy(new RandomNumbers(seed).permutation(sizes.length), (group) => {
    return -(sizes[group] as number);
  });
  const foldOfGroup = new Map<number, number>();
  const single = new Set<number>(); // classes of one group
  let turn = 0; // classes continue where the last one ended, so that folds have equal sizes
  for (const index of distinct(classes)) {
    const ofClass = new Set(groups.filter((_, row) => classes[row] === index));
    if (ofClass.size < 2) {
      single.add(index);
    }
    for (const group of order.filter((each) => ofClass.has(each) && !foldOfGroup.has(each))) {
      foldOfGroup.set(group, turn % FOLDS);
      turn += 1;
    }
  }
  return groups.map((group, row) => {
    return single.has(classes[row] as number) ? NO_FOLD : (foldOfGroup.get(group) ?? NO_FOLD);
  });
}
