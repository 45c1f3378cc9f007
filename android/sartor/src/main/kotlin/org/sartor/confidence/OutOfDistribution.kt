package org.sartor.confidence

import kotlin.math.abs
import kotlin.math.ln
import org.sartor.CheckpointError
import org.sartor.contract.Contract
import org.sartor.contract.FloatTensor
import org.sartor.contract.FloatTensors
import org.sartor.data.Matrix
import org.sartor.deviation
import org.sartor.distinct
import org.sartor.dot
import org.sartor.indicesOf

private const val ENTROPY_FRACTION = 1.3 // of the spread of the similarities
private const val ENTROPY_ROWS = 80 // the more rows, the better is the output
private const val LEAST_ENTROPY_DEVIATION = 0.25 // nats
private const val LARGEST_PROTOTYPE = 5 // their length is at most √(1 / 0.05), see classPrototypes
private const val SMALLEST_OUTPUT = 1e-30
private val TENSORS =
    listOf(Contract.OOD_PROTOTYPES, Contract.OOD_CLASS_INDICES, Contract.OOD_STATISTICS)
private val NONE = FloatArray(0)

/**
 * A detector of out-of-distribution (OOD) inputs: the answer "none of these".
 *
 * There are no examples of OOD inputs. So the detector is fitted to the scores of training samples
 * that were held out. The score is `s + r · h`. `s` is the largest cosine similarity of a prototype
 * and the features in a metric, times the length of the prototype. `h = Σ p · ln p` is the negative
 * entropy of the output. A prediction needs a few prototypes and directions, and no stored samples.
 *
 * @property prototypes prototypes of the classes.
 * @property entropyWeight r, the weight of the negative entropy, at least 0.
 * @property similarity ρ, the mean cosine similarity of two held-out rows of a class.
 * @property threshold an input with a score below it is out-of-distribution.
 * @property metric metric of the similarities.
 */
internal class OODDetector(
    val prototypes: Prototypes,
    val entropyWeight: Double,
    val similarity: Double,
    val threshold: Double,
    val metric: WithinClassMetric,
) {
    private val transformed by lazy { metric.transform(prototypes.rows) }

    /**
     * Return the score of one input: the lower, the less it is like the training samples.
     *
     * @param features one row of each features tensor, as `infer` returns them.
     * @param output output of `infer`, [C].
     */
    fun score(features: List<Matrix>, output: FloatArray): Double {
        val rows = unitFeatures(features)
        val similarity = largestProduct(rows, 0, transformed) / metric.norm(rows, 0)
        return similarity + entropyWeight * negativeEntropy(Matrix(output, output.size), 0)
    }

    /**
     * Return whether the score of one input reaches the threshold; see [score].
     *
     * If it does not, the answer is "none of these".
     */
    fun isInDistribution(features: List<Matrix>, output: FloatArray): Boolean =
        score(features, output) >= threshold

    /**
     * Return a detector with the prototype of a class added or replaced.
     *
     * @param index class index.
     * @param features one row of each features tensor: the mean of the samples of the class.
     * @param count number of rows of the class.
     */
    fun withClass(index: Int, features: List<Matrix>, count: Int): OODDetector {
        val prototype = unitFeatures(features)
        scaleToLength(prototype, 0, prototypeLength(similarity, count))
        return with(prototypes.without(index).with(index, prototype))
    }

    /** Return a detector with prototypes and metric of other features of the samples; see [fit]. */
    fun withFeatures(features: List<Matrix>, classes: IntArray): OODDetector {
        val rows = unitFeatures(features)
        val count = metric.directions.rows
        val other = if (count > 0) WithinClassMetric.fit(rows, classes, count) else metric
        return with(classPrototypes(rows, classes, similarity), other)
    }

    /** Return a detector without the prototypes of a class; null if no class is left. */
    fun withoutClass(index: Int): OODDetector? {
        val others = prototypes.without(index)
        return if (others.classes.isEmpty()) null else with(others)
    }

    /** Return the tensors of a checkpoint; the threshold is in its header. */
    fun toTensors(): FloatTensors {
        val classes = FloatArray(prototypes.classes.size) { prototypes.classes[it].toFloat() }
        val statistics = floatArrayOf(entropyWeight.toFloat(), similarity.toFloat())
        return mapOf(
            Contract.OOD_PROTOTYPES to tensorOf(prototypes.rows),
            Contract.OOD_CLASS_INDICES to FloatTensor(listOf(classes.size), classes),
            Contract.OOD_STATISTICS to FloatTensor(listOf(statistics.size), statistics),
        ) + metric.toTensors()
    }

    private fun with(others: Prototypes, other: WithinClassMetric = metric) =
        OODDetector(others, entropyWeight, similarity, threshold, other)

    companion object {
        /**
         * Fit a detector to training samples.
         *
         * `r` is `1.3 m / (m + 80)` times the standard deviation of `s`, divided by that of `h`, or
         * by 0.25 if that is lower, on the m held-out rows. The threshold is the score that 5 % of
         * them are below (a whole number of rows, rounded down), minus `(1 − mean of s) / m`: few
         * rows lack the lowest scores.
         *
         * If no row is held out, each row is compared with the other classes, in the plain metric.
         * Then `r` is 0, and nothing is subtracted.
         *
         * @param features N rows of each features tensor.
         * @param classes class index of each row, [N].
         * @param folds fold of each row, [N]; below 0 if it is not held out.
         * @param outputs outputs [N, C] for the held-out rows from models that were trained without
         *   their fold, at the temperature of the model; null if no row is held out.
         * @return the detector; null if there is one class and no row is held out.
         */
        fun fit(
            features: List<Matrix>,
            classes: IntArray,
            folds: IntArray,
            outputs: Matrix?,
        ): OODDetector? {
            val rows = unitFeatures(features)
            val parts = heldOutRows(rows, classes, folds)
            val similarity = withinClassSimilarity(rows, classes, parts)
            val similarities = heldOutSimilarities(rows, classes, parts, similarity)
            var scores = similarities.values.toDoubleArray()
            var entropyWeight = 0.0
            var margin = 0.0
            var metric = WithinClassMetric.plain(rows.columns)
            if (scores.isNotEmpty()) {
                // As many directions as in the parts, so that scores are comparable.
                metric = WithinClassMetric.fit(rows, classes, parts.first().others.size)
                margin = (1 - scores.average()) / scores.size
                if (outputs != null) {
                    val entropies = similarities.keys.map { negativeEntropy(outputs, it) }
                    entropyWeight = weightOfEntropy(scores, entropies.toDoubleArray())
                    scores = DoubleArray(scores.size) { scores[it] + entropyWeight * entropies[it] }
                }
            } else if (distinct(classes).size > 1) {
                scores = similaritiesBetweenClasses(rows, classes)
            } else {
                return null
            }
            val place = scores.size / 20 // 5 % are below
            val threshold = scores.sortedArray()[place] - margin
            val prototypes = classPrototypes(rows, classes, similarity)
            return OODDetector(prototypes, entropyWeight, similarity, threshold, metric)
        }

        /**
         * Create a detector from the tensors of a checkpoint.
         *
         * @param tensors name → tensor; see [toTensors].
         * @param threshold threshold of the score.
         * @param size F, the number of values of all features tensors of the model.
         * @param capacity C, the number of class indices of the checkpoint.
         * @throws CheckpointError if a tensor is missing, has another shape, or a wrong value.
         */
        fun fromTensors(
            tensors: FloatTensors,
            threshold: Double,
            size: Int,
            capacity: Int,
        ): OODDetector {
            val (prototypes, indices, statistics) = TENSORS.map { tensors[it]?.data ?: NONE }
            val count = indices.size
            val shapes = listOf(listOf(count, size), listOf(count), listOf(2))
            if (count == 0 || TENSORS.map { tensors[it]?.shape } != shapes) {
                val got = tensors.map { (name, tensor) -> "$name ${tensor.shape}" }
                throw CheckpointError(
                    "expected ${Contract.OOD_PROTOTYPES} [R, $size], " +
                        "${Contract.OOD_CLASS_INDICES} [R] and ${Contract.OOD_STATISTICS} [2], " +
                        "got " + got.joinToString().ifEmpty { "none of them" } +
                        ": the checkpoint is damaged",
                )
            }
            if (!indices.all { it >= 0 && it < capacity && it == it.toInt().toFloat() }) {
                throw CheckpointError(
                    "${Contract.OOD_CLASS_INDICES} has other values than the indices of " +
                        "$capacity classes: the checkpoint is damaged",
                )
            }
            if (!prototypes.all { abs(it) <= LARGEST_PROTOTYPE }) {
                throw CheckpointError(
                    "${Contract.OOD_PROTOTYPES} has values above $LARGEST_PROTOTYPE: the " +
                        "checkpoint is damaged",
                )
            }
            return OODDetector(
                Prototypes(
                    Matrix(prototypes, size),
                    IntArray(count) { indices[it].toInt() },
                ),
                statistics[0].toDouble(),
                statistics[1].toDouble(),
                threshold,
                WithinClassMetric.fromTensors(tensors, size),
            )
        }
    }
}

/** Return `Σ p · ln p` of an output: 0 for a certain class, −ln C for a uniform output. */
private fun negativeEntropy(outputs: Matrix, row: Int): Double {
    var total = 0.0
    for (at in outputs.start(row) until outputs.start(row + 1)) {
        val p = outputs.data[at].toDouble()
        total += p * ln(maxOf(p, SMALLEST_OUTPUT))
    }
    return total
}

/** Return the cosine similarity of each row to the nearest row of another class, [N]. */
private fun similaritiesBetweenClasses(rows: Matrix, classes: IntArray): DoubleArray =
    DoubleArray(rows.rows) { row ->
        var highest = -1.0
        for (other in indicesOf(classes.size) { classes[it] != classes[row] }) {
            highest = maxOf(highest, dot(rows, row, rows, other))
        }
        highest
    }

/**
 * Return r.
 *
 * If classes are so well separated that all held-out outputs are nearly certain, their tiny
 * entropies must not decide.
 */
private fun weightOfEntropy(similarities: DoubleArray, entropies: DoubleArray): Double {
    val spread = maxOf(deviation(entropies), LEAST_ENTROPY_DEVIATION)
    val count = similarities.size.toDouble()
    return ENTROPY_FRACTION * count / (count + ENTROPY_ROWS) * deviation(similarities) / spread
}
