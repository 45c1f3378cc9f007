package org.sartor.store

import org.sartor.data.Matrix

/**
 * Samples as arrays, with a row for each sample and each augmentation, ordered by sample: N rows.
 *
 * @property features values of each features tensor, [N, size of the tensor]; [StoredFeatures], which
 *   stay in the store, in a file with tuned layers.
 * @property samples number (ID) of the sample of each row, [N].
 * @property targets targets, [N, K]; NaN if a target is missing.
 * @property classes K class names, in the order of their first samples.
 */
internal class SampleSet(
    @JvmField val features: List<Matrix>,
    @JvmField val samples: LongArray,
    @JvmField val targets: Matrix,
    @JvmField val classes: List<String>,
) {
    /** Return the indices of all rows in memory, or of the rows that the store still has. */
    fun present(): IntArray =
        if (features is StoredFeatures) features.present() else IntArray(samples.size) { it }

    /** Return the samples with other features. */
    fun withFeatures(features: List<Matrix>): SampleSet =
        SampleSet(features, samples, targets, classes)

    /** Return some of the rows. */
    fun take(rows: IntArray): SampleSet = SampleSet(
        takeRows(features, rows),
        LongArray(rows.size) { samples[rows[it]] },
        targets.take(rows),
        classes,
    )
}
