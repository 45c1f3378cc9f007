package org.sartor.data

import kotlin.math.sqrt
import org.sartor.RandomNumbers
import org.sartor.contract.Manifest
import org.sartor.sortedBy
import org.sartor.store.SampleSet
import org.sartor.store.takeRows
import org.sartor.rowSum

/**
 * Samples: N rows, one for each sample and each of its augmentations.
 *
 * @property features values of each features tensor, [N, size of the tensor]; those in a store are
 *   read in batches.
 * @property targets targets [N, C]; 0 where a target is missing.
 * @property weights weights [N, 1], or [N, C] if [Manifest.weightsPerOutput]; 0 where a target is
 *   missing.
 * @property samples number of the sample of each row, [N].
 * @property fractions 1 / (number of rows of the sample) of each row, [N].
 */
internal class Dataset(
    @JvmField val features: List<Matrix>,
    @JvmField val targets: Matrix,
    @JvmField val weights: Matrix,
    @JvmField val samples: LongArray,
    @JvmField val fractions: DoubleArray,
) {
    /** Number of rows. */
    val rows: Int get() = samples.size

    /** Number of samples. */
    val sampleCount: Int get() = samples.toSet().size

    /** Class of each row: the index of its largest target, [N]. */
    val classes: IntArray by lazy(LazyThreadSafetyMode.PUBLICATION) { rowClasses(targets) }

    /** Number of all features. */
    val size: Long get() = features.sumOf { it.data.size.toLong() }

    /**
     * Effective number of samples, `(Σ w)² / Σ w²` over the weights of the samples (Kish, 1965).
     *
     * It is below the number of samples if classes are imbalanced. With weights per output, it is
     * the number of samples.
     */
    val effectiveSampleSize: Double get() {
        if (weights.columns > 1) return sampleCount.toDouble()
        val bySample = LinkedHashMap<Long, Double>()
        samples.forEachIndexed { row, sample ->
            bySample[sample] = (bySample[sample] ?: 0.0) + weights[row, 0]
        }
        val total = bySample.values.sum()
        return total * total / bySample.values.sumOf { it * it }
    }

    /** Root mean square of the present targets; 1 if all are 0. */
    val targetRms: Double get() {
        val hasMissing = weights.columns > 1
        var squares = 0.0
        var count = 0
        targets.data.forEachIndexed { i, target ->
            if (!hasMissing || weights.data[i] > 0) {
                squares += target.toDouble() * target
                count += 1
            }
        }
        return if (squares > 0) sqrt(squares / count) else 1.0
    }

    /** Return the weight of a row: of all its outputs. */
    fun weightOf(row: Int): Double = rowSum(weights, row)

    /** Return the rows with other targets, [N, C]. */
    fun withTargets(targets: Matrix): Dataset =
        Dataset(features, targets, weights, samples, fractions)

    /** Return some of the rows. */
    fun take(rows: IntArray): Dataset = Dataset(
        takeRows(features, rows),
        targets.take(rows),
        weights.take(rows),
        LongArray(rows.size) { samples[rows[it]] },
        DoubleArray(rows.size) { fractions[rows[it]] },
    )

    /**
     * Draw mixed rows: at random, in equal numbers from all classes as far as possible.
     *
     * @param count largest number of rows.
     * @param seed seed of the draw.
     * @return indices of at most [count] rows, without repetition.
     */
    fun mixedRows(count: Int, seed: Long): IntArray {
        val order = RandomNumbers(seed).permutation(rows)
        val counts = IntArray(targets.columns)
        val numbers = IntArray(rows) // of each row, within its class
        for (row in order) numbers[row] = counts[classes[row]]++
        return sortedBy(order) { numbers[it] }.copyOf(minOf(count, rows))
    }
}

/**
 * Create the data set of stored samples.
 *
 * @param manifest manifest of the model.
 * @param samples samples of the store.
 * @param classIndices class name → class index, for at least the classes of [samples].
 */
internal fun trainingDataset(
    manifest: Manifest,
    samples: SampleSet,
    classIndices: Map<String, Int>,
): Dataset {
    val targets = Matrix.filled(samples.targets.rows, manifest.classes.size, Float.NaN)
    samples.classes.forEachIndexed { column, name ->
        val index = classIndices.getValue(name)
        for (row in targets.indices) targets[row, index] = samples.targets[row, column]
    }
    val fractions = sampleFractions(samples.samples)
    val weights = taskOf(manifest).weights(targets, fractions)
    val present = targets.map { target, _ -> if (target.isNaN()) 0f else target }
    return Dataset(samples.features, present, weights, samples.samples, fractions)
}

/** Create a data set for prediction: all targets are 0, all weights are 1. */
internal fun unlabelledDataset(manifest: Manifest, features: List<Matrix>): Dataset {
    val rows = features.first().rows
    val classes = manifest.classes.size
    return Dataset(
        features,
        Matrix.filled(rows, classes),
        Matrix.filled(rows, if (manifest.weightsPerOutput) classes else 1, 1f),
        LongArray(rows) { it.toLong() },
        DoubleArray(rows) { 1.0 },
    )
}

/** Return 1 / (number of rows of its sample) for each row. */
private fun sampleFractions(samples: LongArray): DoubleArray {
    val counts = HashMap<Long, Int>()
    for (sample in samples) counts[sample] = (counts[sample] ?: 0) + 1
    return DoubleArray(samples.size) { 1.0 / counts.getValue(samples[it]) }
}
