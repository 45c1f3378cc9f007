package org.sartor.confidence

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.pow
import org.sartor.data.Matrix
import org.sartor.deviation
import org.sartor.indicesOf
import org.sartor.split
import org.sartor.sum

private const val DEFAULT_FRACTION = 0.4 // of the standard deviation of the logits
private const val PRIOR_SAMPLES = 16 // weight of the prior temperature: a deviation of a quarter
private const val SEARCH_RANGE = 6.0 // of ln(prior / temperature)
private const val BISECTIONS = 32
private const val BINS = 15 // of the expected calibration error, at most
private const val MIN_BIN = 5 // samples
private const val SMALLEST_SUM = 1e-30

/**
 * Held-out outputs at temperature 1, with their targets.
 *
 * Temperature scaling fits calibrated probabilities to them (Guo et al., 2017).
 *
 * @property outputs outputs [N, C]; columns of masked classes are 0.
 * @property targets targets [N, C], 0…1.
 * @property weights number of samples that each row [N, 1] or output [N, C] counts as.
 * @property isIndependent whether the outputs are independent (sigmoids); otherwise they are a
 *   softmax.
 */
internal class LabelledOutputs(
    val outputs: Matrix,
    val targets: Matrix,
    val weights: Matrix,
    val isIndependent: Boolean,
)

/**
 * Return a temperature that needs no held-out samples: at it, the centered logits have a standard
 * deviation of 2.5.
 *
 * @param outputs outputs [N, C] for the training samples, or for the mean of each class; columns of
 *   masked classes are 0.
 * @param temperature temperature of these outputs. Default: 1.
 * @return a temperature above 0; 1 for a single class or a uniform output.
 */
internal fun defaultTemperature(outputs: Matrix, temperature: Double = 1.0): Double {
    val spread = temperature * logitDeviation(outputs)
    return if (spread > 0) DEFAULT_FRACTION * spread else 1.0
}

/**
 * Return the standard deviation of the logits of a softmax, each row centered on its mean.
 *
 * @param outputs outputs [N, C]; columns of masked classes are 0.
 * @return the deviation; 0 for a single class.
 */
private fun logitDeviation(outputs: Matrix): Double {
    val columns = activeColumns(outputs)
    if (columns.size < 2) return 0.0
    val centered = DoubleArray(outputs.rows * columns.size)
    for (row in outputs.indices) {
        val logits = DoubleArray(columns.size) { logit(outputs[row, columns[it]], false) }
        val center = logits.average()
        logits.forEachIndexed { i, value -> centered[row * columns.size + i] = value - center }
    }
    return deviation(centered)
}

/**
 * Fit the temperature to held-out samples, by maximum a posteriori (MAP) estimation.
 *
 * The likelihood is that of the targets at temperature T (Guo et al., 2017). The prior of 1/T is a
 * Gamma distribution of shape 16 with its mode at 1/prior, so that few samples change the
 * temperature little. The negative log posterior is convex in 1/T; bisection finds its minimum.
 *
 * @param samples held-out samples; there may be none.
 * @param prior temperature without any samples, above 0; see [defaultTemperature].
 * @return a temperature above 0.
 */
internal fun fitTemperature(samples: LabelledOutputs, prior: Double): Double {
    val rows = labelledRows(samples)
    if (rows.isEmpty()) return prior
    var low = -SEARCH_RANGE
    var high = SEARCH_RANGE
    repeat(BISECTIONS) {
        val middle = (low + high) / 2
        val inverse = exp(middle) / prior
        // the derivative of the negative log posterior with respect to 1/T
        val slope = rows.sumOf { it.slope(inverse) } + PRIOR_SAMPLES * (prior - 1 / inverse)
        if (slope > 0) high = middle else low = middle
    }
    return prior * exp(-(low + high) / 2)
}

/**
 * Return the weighted mean of the cross-entropy at a temperature.
 *
 * @param samples held-out samples, with weights that are not all 0.
 * @param temperature temperature above 0.
 */
internal fun logLoss(samples: LabelledOutputs, temperature: Double): Double =
    labelledRows(samples).sumOf { it.loss(1 / temperature) } / sum(samples.weights.data)

/**
 * Return the outputs of a softmax at another temperature.
 *
 * @param outputs outputs [N, C] at temperature 1; columns of masked classes are 0.
 * @param temperature temperature above 0.
 * @return outputs [N, C]; zeros stay zero.
 */
internal fun applyTemperature(outputs: Matrix, temperature: Double): Matrix {
    val result = Matrix.filled(outputs.rows, outputs.columns)
    for (row in outputs.indices) {
        val highest = maxOf(outputs[row, outputs.argmax(row)].toDouble(), TINY)
        val powers = DoubleArray(outputs.columns) { column ->
            (outputs[row, column] / highest).pow(1 / temperature)
        }
        val total = maxOf(powers.sum(), SMALLEST_SUM)
        result.setRow(row, FloatArray(powers.size) { (powers[it] / total).toFloat() })
    }
    return result
}

/**
 * Return the expected calibration error (ECE): the mean gap of confidence and accuracy.
 *
 * The samples are sorted by confidence and split into at most 15 bins of equal numbers of samples
 * (Nguyen and O'Connor, 2015). The ECE of a perfectly calibrated model is above 0 by chance, so
 * compare values for equal N only.
 *
 * @param outputs outputs [N, C] for samples that were not used in training; N at least 1.
 * @param targets targets [N, C]; the true class of a row is that of its largest target.
 * @return 0 (calibrated) … 1.
 */
internal fun expectedCalibrationError(outputs: Matrix, targets: Matrix): Double {
    val confidence = FloatArray(outputs.rows) { outputs[it, outputs.argmax(it)] }
    val gaps = confidence.indices.sortedBy { confidence[it] }.map { row ->
        val isCorrect = outputs.argmax(row) == targets.argmax(row)
        confidence[row] - if (isCorrect) 1.0 else 0.0
    }
    val bins = (gaps.size / MIN_BIN).coerceIn(1, BINS)
    val errors = split(gaps.size, bins).sumOf { abs(gaps.subList(it.start, it.end).sum()) }
    return errors / gaps.size
}

/** Return the rows of the active classes. */
private fun labelledRows(samples: LabelledOutputs): List<LabelledRow> {
    val (outputs, targets) = samples.outputs to samples.targets
    val columns = (activeColumns(outputs) + activeColumns(targets)).distinct().sorted()
    return outputs.indices.map { row ->
        LabelledRow(
            DoubleArray(columns.size) { logit(outputs[row, columns[it]], samples.isIndependent) },
            DoubleArray(columns.size) { targets[row, columns[it]].toDouble() },
            DoubleArray(columns.size) { i ->
                samples.weights[row, if (samples.weights.columns > 1) columns[i] else 0].toDouble()
            },
            samples.isIndependent,
        )
    }
}

/** Return the columns with a value above 0. */
private fun activeColumns(matrix: Matrix): IntArray =
    indicesOf(matrix.columns) { column -> matrix.indices.any { matrix[it, column] > 0 } }
