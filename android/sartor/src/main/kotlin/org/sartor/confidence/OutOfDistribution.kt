package org.sartor.confidence

import kotlin.math.abs
import kotlin.math.ln
import org.sartor.CheckpointError
import org.sartor.contract.Contract
import org.sartor.data.Matrix
import org.sartor.deviation
import org.sartor.distinct
import org.sartor.dot
import org.sartor.indicesOf

private const val ENTROPY_FRACTION = 0.5 // of the spread of the score
private const val LEAST_ENTROPY_DEVIATION = 0.25 // nats
private const val LARGEST_PROTOTYPE = 5 // their length is at most √(1 / 0.05), see classPrototypes
private const val SMALLEST_OUTPUT = 1e-30

/**
 * A detector of out-of-distribution (OOD) inputs: the answer "none of these".
 *
 * There are no examples of OOD inputs. So the detector is fitted to the scores of training samples
 * that were held out. The score is `s + r · h`. `s` is the largest product of a prototype with the
 * features, scaled to length 1. `h = Σ p · ln p` is the negative entropy of the output. A
 * prediction needs a few prototypes, and no stored samples.
 *
 * @property prototypes prototypes of the classes.
 * @property entropyWeight r, the weight of the negative entropy, at least 0.
 * @property similarity mean cosine similarity within a class.
 * @property threshold an input with a score below it is out-of-distribution.
 */
internal class OODDetector(
    val prototypes: Prototypes,
    val entropyWeight: Double,
    val similarity: Double,
    val threshold: Double,
) {
    /**
     * Return the score of one input: the lower, the less it is like the training samples.
     *
     * @param features one row of each features tensor, as `infer` returns them.
     * @param output output of `infer`, [C].
     */
    fun score(features: List<Matrix>, output: FloatArray): Double {
        val similarity = largestProduct(unitFeatures(features), 0, prototypes.rows)
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

    /** Return a detector with the prototypes of other features of the training samples; see [fit]. */
    fun withFeatures(features: List<Matrix>, classes: IntArray): OODDetector =
        with(classPrototypes(unitFeatures(features), classes, similarity))

    /** Return a detector without the prototypes of a class; null if no class is left. */
    fun withoutClass(index: Int): OODDetector? {
        val others = prototypes.without(index)
        return if (others.classes.isEmpty()) null else with(others)
    }

    /** Return the tensors of a checkpoint, flat; the threshold is in its header. */
    fun toTensors(): Map<String, FloatArray> = mapOf(
        Contract.OOD_PROTOTYPES to prototypes.rows.data,
        Contract.OOD_CLASS_INDICES to FloatArray(prototypes.classes.size) {
            prototypes.classes[it].toFloat()
        },
        Contract.OOD_STATISTICS to floatArrayOf(entropyWeight.toFloat(), similarity.toFloat()),
    )

    private fun with(others: Prototypes) =
        OODDetector(others, entropyWeight, similarity, threshold)

    companion object {
        /**
         * Fit a detector to training samples.
         *
         * `r` is 0.5 times the standard deviation of `s`, divided by that of `h`, or by 0.25 if
         * that is lower, on the m held-out rows. The threshold is the score that 5 % of them are
         * below, rounded to a whole row, minus `(1 − mean of s) / m`: few rows lack the lowest
         * scores.
         *
         * If no row is held out, each row is compared with the other classes. Then `r` is 0, and
         * nothing is subtracted.
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
            val similarity = withinClassSimilarity(rows, classes)
            val heldOut = heldOutSimilarities(rows, classes, folds, similarity)
            var scores = heldOut.values
            var entropyWeight = 0.0
            var margin = 0.0
            if (scores.isNotEmpty()) {
                margin = (1 - scores.average()) / scores.size
                if (outputs != null) {
                    val entropies = DoubleArray(scores.size) {
                        negativeEntropy(outputs, heldOut.rows[it])
                    }
                    entropyWeight = weightOfEntropy(scores, entropies)
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
            return OODDetector(prototypes, entropyWeight, similarity, threshold)
        }

        /**
         * Create a detector from the tensors of a checkpoint.
         *
         * @param tensors name → values of a tensor; see [toTensors].
         * @param threshold threshold of the score.
         * @param size F, the number of values of all features tensors of the model.
         * @param capacity C, the number of class indices of the checkpoint.
         * @throws CheckpointError if a tensor is missing, has another size, or a wrong class index.
         */
        fun fromTensors(
            tensors: Map<String, FloatArray>,
            threshold: Double,
            size: Int,
            capacity: Int,
        ): OODDetector {
            val prototypes = tensors[Contract.OOD_PROTOTYPES] ?: FloatArray(0)
            val indices = tensors[Contract.OOD_CLASS_INDICES] ?: FloatArray(0)
            val statistics = tensors[Contract.OOD_STATISTICS] ?: FloatArray(0)
            val hasSizes = indices.isNotEmpty() && statistics.size == 2 &&
                prototypes.size.toLong() == indices.size.toLong() * size
            if (!hasSizes) {
                val sizes = tensors.map { (name, values) -> "$name [${values.size}]" }
                throw CheckpointError(
                    "expected ${Contract.OOD_PROTOTYPES} [R × $size], " +
                        "${Contract.OOD_CLASS_INDICES} [R] and ${Contract.OOD_STATISTICS} [2], " +
                        "got " + sizes.joinToString().ifEmpty { "none of them" } +
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
                    IntArray(indices.size) { indices[it].toInt() },
                ),
                statistics[0].toDouble(),
                statistics[1].toDouble(),
                threshold,
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

/** Rows with a value of each. */
private class RowValues(val rows: IntArray, val values: DoubleArray)

/**
 * Compare each held-out row with the prototypes of the rows outside its fold.
 *
 * @return the held-out rows whose class has rows outside their fold, and their similarities.
 */
private fun heldOutSimilarities(
    rows: Matrix,
    classes: IntArray,
    folds: IntArray,
    similarity: Double,
): RowValues {
    val similarities = DoubleArray(rows.rows) { Double.NaN }
    for (fold in distinct(folds)) {
        val others = indicesOf(folds.size) { folds[it] != fold }
        if (fold < 0 || others.isEmpty()) continue
        val otherClasses = IntArray(others.size) { classes[others[it]] }
        val present = otherClasses.toSet()
        val prototypes = classPrototypes(rows.take(others), otherClasses, similarity)
        for (row in indicesOf(folds.size) { folds[it] == fold && classes[it] in present }) {
            similarities[row] = largestProduct(rows, row, prototypes.rows)
        }
    }
    val compared = indicesOf(rows.rows) { !similarities[it].isNaN() }
    return RowValues(compared, DoubleArray(compared.size) { similarities[compared[it]] })
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
    return ENTROPY_FRACTION * deviation(similarities) / spread
}
