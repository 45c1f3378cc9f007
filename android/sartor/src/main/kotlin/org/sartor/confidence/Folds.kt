package org.sartor.confidence

import org.sartor.RandomNumbers
import org.sartor.distinct
import org.sartor.sortedBy

/** Number of folds of a cross-validation. */
internal const val FOLDS: Int = 3

/** Fold number of the rows outside the cross-validation. */
internal const val NO_FOLD: Int = -1

/**
 * Assign rows to folds: stratified by class, without splitting a group.
 *
 * The groups of a class are dealt to the folds in random order, the largest first.
 *
 * @param classes class index of each row, [N].
 * @param groups group of each row, [N], from 0; rows of one group, such as the augmentations of one
 *   sample and its near-duplicates, get the same fold.
 * @param seed seed of the random order.
 * @return the fold of each row, [N]; [NO_FOLD] for a row that is never held out, because its class
 *   has one group only and the training data would lack that class.
 */
internal fun assignFolds(classes: IntArray, groups: IntArray, seed: Long): IntArray {
    val sizes = IntArray((groups.maxOrNull() ?: -1) + 1)
    for (group in groups) sizes[group] += 1
    val order = sortedBy(RandomNumbers(seed).permutation(sizes.size)) { -sizes[it] }
    val foldOfGroup = IntArray(sizes.size) { NO_FOLD }
    val single = HashSet<Int>() // classes of one group
    var turn = 0 // classes continue where the last one ended, so that folds have equal sizes
    for (index in distinct(classes)) {
        val ofClass = HashSet<Int>()
        groups.forEachIndexed { row, group -> if (classes[row] == index) ofClass.add(group) }
        if (ofClass.size < 2) single.add(index)
        for (group in order) {
            if (group in ofClass && foldOfGroup[group] == NO_FOLD) {
                foldOfGroup[group] = turn % FOLDS
                turn += 1
            }
        }
    }
    return IntArray(groups.size) { row ->
        if (classes[row] in single) NO_FOLD else foldOfGroup[groups[row]]
    }
}
