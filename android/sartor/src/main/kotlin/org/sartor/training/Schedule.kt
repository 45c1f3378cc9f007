package org.sartor.training

import kotlin.math.PI
import kotlin.math.abs
import kotlin.math.cos
import kotlin.math.sqrt
import org.sartor.Decay
import org.sartor.contract.Manifest
import org.sartor.data.CLASSIFICATION
import org.sartor.data.REGRESSION
import org.sartor.dot

private const val STABLE_FRACTION = 0.5 // of the largest stable learning rate
private const val FEW_CLASSES = 16
private const val MANY_CLASSES = 32 // between them, the rate doubles
private const val LEAST_WEIGHT = 1e-6 // of a batch, see docs/contract.md

/**
 * The learning rate of a training or of a stage of it, and its weight decay.
 *
 * @property epochs number of epochs, at least 1.
 * @property batches number of batches of an epoch, at least 1.
 * @property peak the largest learning rate, that of the first step.
 * @property decay decay of the learning rate.
 * @property weightDecay weight decay, at least 0; null keeps that of the model.
 */
internal data class Schedule(
    val epochs: Int,
    val batches: Int,
    val peak: Double,
    val decay: Decay,
    val weightDecay: Double? = null,
) {
    /** Number of steps, if the training is not stopped. */
    val steps: Long get() = epochs.toLong() * batches

    /**
     * Return the learning rate of a step.
     *
     * @param progress fraction of the stage before the step, 0…1: of the steps, or of the time if
     *   the time is limited.
     */
    fun rate(progress: Double): Double = peak * decayed(progress.coerceIn(0.0, 1.0))

    private fun decayed(progress: Double): Double = when (decay) {
        Decay.COSINE -> 0.5 * (1 + cos(PI * progress))
        Decay.LINEAR -> 1 - progress
        Decay.CONSTANT -> 1.0
    }
}

/**
 * A batch of a training.
 *
 * @property rows rows as the first layer of the head sees them, flat.
 * @property weights weight of each row.
 */
internal class WeightedRows(val rows: List<DoubleArray>, val weights: DoubleArray)

/**
 * Return the default learning rate for a set of samples.
 *
 * Gradient descent is stable up to `stableRate / L`, where L is the curvature of the loss of a
 * batch by the weights: at most its curvature by a logit times the largest eigenvalue of the second
 * moments of the rows, with 1 for the bias. The default is half of that for up to 16 classes. With
 * more classes, each probability is smaller, and so is the curvature: from 32 classes on, the
 * default is that bound. The step of an adaptive optimizer changes each weight by the learning rate:
 * the default changes a logit by at most 1.
 *
 * @param manifest manifest of the model.
 * @param batches some batches, at least one.
 * @param outputs number of active classes.
 * @param magnitude root mean square of the targets of a regression; 1 for the other tasks.
 */
internal fun defaultRate(
    manifest: Manifest,
    batches: List<WeightedRows>,
    outputs: Int,
    magnitude: Double,
): Double {
    if (manifest.optimizer.step.adaptive) {
        val rows = batches.flatMap { it.rows }
        return magnitude / (1 + rows.sumOf { row -> row.sumOf { abs(it) } } / rows.size)
    }
    val active = if (manifest.weightsPerOutput) outputs else 1 // the loss is the mean over these
    val factor = active * classFactor(manifest, outputs)
    val curvature = batches.maxOf(::eigenvalueBound) * manifest.loss.curvature
    return STABLE_FRACTION * stableRate(manifest) * factor / curvature
}

/**
 * Return the factor κ of the learning rate for many classes, 1 to 2.
 *
 * It is 1 for adaptive optimizers and other tasks.
 */
internal fun classFactor(manifest: Manifest, classes: Int): Double {
    if (manifest.task != CLASSIFICATION || manifest.optimizer.step.adaptive) return 1.0
    return classes.coerceIn(FEW_CLASSES, MANY_CLASSES).toDouble() / FEW_CLASSES
}

/**
 * Return the largest stable learning rate of gradient descent at a curvature of 1.
 *
 * With momentum μ it is `2 (1 + μ)`, with Nesterov momentum `2 (1 + μ) / (1 + 2μ)`. The targets of
 * a regression have no bound, so that the error of one batch can grow in the next: there the
 * momentum must not make steps longer than those of plain gradient descent.
 */
internal fun stableRate(manifest: Manifest): Double {
    val step = manifest.optimizer.step
    return when {
        manifest.task == REGRESSION -> 2 * (1 - step.momentum)
        step.nesterov -> 2 * (1 + step.momentum) / (1 + 2 * step.momentum)
        else -> 2 * (1 + step.momentum)
    }
}

/**
 * Return an upper bound of the largest eigenvalue of the second moments of rows.
 *
 * The bound is the Frobenius norm of the moments, from the products of the rows.
 */
private fun eigenvalueBound(batch: WeightedRows): Double {
    val weights = batch.weights
    var squares = 0.0
    batch.rows.forEachIndexed { i, row ->
        batch.rows.forEachIndexed { j, other ->
            val product = 1 + dot(row, other)
            squares += weights[i] * weights[j] * product * product
        }
    }
    return sqrt(squares) / maxOf(weights.sum(), LEAST_WEIGHT)
}
