package org.sartor.training

import org.sartor.Decay
import org.sartor.TrainingError
import org.sartor.data.Dataset

/** The search for a learning rate. */
private object Search {
    /** Steps and batches of each trial. */
    const val STEPS = 20
    const val BATCHES = 4

    /** The first rate, or 16 times the default if that is higher. */
    const val TOP = 1.0
    const val TOP_ADAPTIVE = 0.1
    const val TOP_FACTOR = 16

    /** Each rate is this fraction of the one before. */
    const val FACTOR = 0.25
    const val TRIALS = 14

    /** Of the loss before: such losses are equally good. */
    const val TOLERANCE = 0.01

    /** Rates no better than the best: losses of rates that are too high are erratic. */
    const val PATIENCE = 2

    /** Of the rate with the lowest loss. */
    const val STABLE_FRACTION = 0.5

    /** Of a time limit. */
    const val TIME_FRACTION = 0.25

    /** The first rate of tuned layers, and the number of trials. */
    const val LAYER_TOP = 0.25
    const val LAYER_TOP_ADAPTIVE = 8e-3
    const val LAYER_TRIALS = 5
}

/**
 * Return half of the learning rate that lowers the loss most in twenty steps.
 *
 * For a linear head, the largest stable rate follows from the lengths of the features. For a head
 * of a user it depends on every layer. So some rates are tried for a few steps (Smith, 2017), from
 * high to low, until the loss of two in succession is higher again. Of rates that are equally good,
 * the lowest counts.
 *
 * @param model holds the starting weights, before and after the call.
 * @param samples training samples.
 * @param standard learning rate to return if no rate lowers the loss, or there is no time.
 * @param control pauses and stops the search.
 * @param seed seed of the order of the samples.
 */
internal fun searchRate(
    model: TrainingModel,
    samples: Dataset,
    standard: Double,
    control: Control,
    seed: Long,
): Double {
    val start = model.engine.variables()
    val count = Search.BATCHES * model.manifest.batchSize
    val few = samples.take(samples.mixedRows(count, seed))
    var lowest = model.evaluate(few).loss
    val tolerance = Search.TOLERANCE * lowest
    var best: Double? = null
    var worse = 0
    val top = if (model.manifest.optimizer.step.adaptive) Search.TOP_ADAPTIVE else Search.TOP
    var rate = maxOf(top, Search.TOP_FACTOR * standard)
    repeat(Search.TRIALS) {
        val loss = lossAfterTrial(model, few, rate, control, seed)
        model.engine.restore(start)
        if (loss < lowest + if (best == null) 0.0 else tolerance) {
            lowest = minOf(loss, lowest)
            best = rate
            worse = 0
        } else if (best != null) {
            worse += 1
        }
        val isOver = control.isStopped || control.used > Search.TIME_FRACTION
        if (worse == Search.PATIENCE || isOver) {
            return best?.times(Search.STABLE_FRACTION) ?: standard
        }
        rate *= Search.FACTOR
    }
    return best?.times(Search.STABLE_FRACTION) ?: standard
}

/**
 * Return a learning rate for tuned layers with a trained head.
 *
 * It is the highest of some rates, each a quarter of the one before, at which twenty steps do not
 * raise the loss.
 *
 * @param model holds the starting weights, before and after the call.
 * @param samples training samples.
 * @param control pauses and stops the search.
 * @param seed seed of the order of the samples.
 */
internal fun searchLayerRate(
    model: TrainingModel,
    samples: Dataset,
    control: Control,
    seed: Long,
): Double {
    val start = model.engine.variables()
    val count = Search.BATCHES * model.manifest.batchSize
    val few = samples.take(samples.mixedRows(count, seed))
    val before = model.evaluate(few).loss
    val isAdaptive = model.manifest.optimizer.step.adaptive
    var rate = if (isAdaptive) Search.LAYER_TOP_ADAPTIVE else Search.LAYER_TOP
    repeat(Search.LAYER_TRIALS) {
        val loss = lossAfterTrial(model, few, rate, control, seed)
        model.engine.restore(start)
        if (loss <= before || !control.await()) return rate
        rate *= Search.FACTOR
    }
    return rate
}

/** Train some steps at a constant rate, and return the loss; infinity if that failed. */
private fun lossAfterTrial(
    model: TrainingModel,
    samples: Dataset,
    rate: Double,
    control: Control,
    seed: Long,
): Double {
    val batches = batchesOf(samples.rows, model.manifest.batchSize)
    val trainer = Trainer(model.engine, model.manifest, samples, control, seed)
    try {
        trainer.run(Schedule(batchesOf(Search.STEPS, batches), batches, rate, Decay.CONSTANT))
    } catch (error: TrainingError) {
        return Double.POSITIVE_INFINITY
    }
    val loss = if (trainer.history.stopped) Double.NaN else model.evaluate(samples).loss
    return if (loss.isFinite()) loss else Double.POSITIVE_INFINITY
}
