package org.sartor.confidence

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.ln
import kotlin.math.ln1p
import kotlin.math.tanh
import org.sartor.largest

/** The smallest output in float32: 2⁻¹²⁶. */
internal const val TINY: Double = 1.1754943508222875e-38
private const val NEARLY_ONE = 1 - 1.0 / (1 shl 24)

/** The logits, targets and weights of a row, of the active classes. */
internal class LabelledRow(
    private val logits: DoubleArray,
    private val targets: DoubleArray,
    private val weights: DoubleArray,
    private val isIndependent: Boolean,
) {
    /**
     * Return the derivative of the loss with respect to 1/T.
     *
     * @param inverse 1/T, above 0.
     */
    fun slope(inverse: Double): Double =
        if (isIndependent) sigmoidSlope(inverse) else softmaxSlope(inverse)

    /**
     * Return the cross-entropy.
     *
     * @param inverse 1/T, above 0.
     */
    fun loss(inverse: Double): Double =
        if (isIndependent) sigmoidLoss(inverse) else softmaxLoss(inverse)

    private fun softmaxSlope(inverse: Double): Double {
        val highest = largest(logits)
        val powers = DoubleArray(logits.size) { exp(inverse * (logits[it] - highest)) }
        val total = powers.sum()
        var slope = 0.0
        for (i in logits.indices) {
            slope += weights[i] * (powers[i] / total - targets[i]) * logits[i]
        }
        return slope
    }

    private fun sigmoidSlope(inverse: Double): Double {
        var slope = 0.0
        for (i in logits.indices) {
            val output = 0.5 * (1 + tanh(0.5 * inverse * logits[i]))
            slope += weights[i] * (output - targets[i]) * logits[i]
        }
        return slope
    }

    private fun softmaxLoss(inverse: Double): Double {
        val highest = largest(logits)
        val total = logits.sumOf { exp(inverse * (it - highest)) }
        var loss = inverse * highest + ln(total)
        for (i in logits.indices) loss -= targets[i] * inverse * logits[i]
        return weights[0] * loss
    }

    private fun sigmoidLoss(inverse: Double): Double {
        var loss = 0.0
        for (i in logits.indices) {
            val logit = inverse * logits[i]
            loss += weights[i] * (softplus(logit) - targets[i] * logit)
        }
        return loss
    }
}

/** Return the logit of an output; of a softmax, up to a constant per row. */
internal fun logit(output: Float, isIndependent: Boolean): Double {
    val p = output.toDouble().coerceIn(TINY, NEARLY_ONE)
    return ln(if (isIndependent) p / (1 - p) else p)
}

private fun softplus(logit: Double): Double = maxOf(logit, 0.0) + ln1p(exp(-abs(logit)))
