package org.sartor.training

import kotlin.math.ceil
import org.sartor.TrainingOptions
import org.sartor.contract.Manifest
import org.sartor.data.REGRESSION

/**
 * The stages of a path: a regularization path from strong to weak weight decay.
 *
 * The best weight decay depends on the features and on the number of samples. So the training is a
 * path of stages (Friedman, Hastie & Tibshirani, 2010): each starts from the weights of the one
 * before, with an eighth of its weight decay. Cross-validation finds the stage to end at.
 */
private object PathRule {
    /** Weight decay times the number of samples, of each stage. */
    val STRENGTHS = listOf(2.0, 1.0 / 4, 1.0 / 32)
    const val MIN_STEPS = 96.0
    const val MAX_STEPS = 300.0

    /** At most, divided by the factor of the learning rate for many classes. */
    const val CLASS_STEPS = 500.0

    /** Times samples / strength: weights with less effect decay more slowly. */
    const val STEPS = 0.1
}

/** A training of one stage. */
private object SingleRule {
    const val STRENGTH = 1.0
    const val MIN_STEPS = 400
    const val MAX_STEPS = 4000
    const val EPOCHS = 60L
}

private const val SLOW = 3 // times as many steps without momentum
private const val LEAST_EPOCHS = 2 // of a stage: one is too few if there are many batches

/**
 * The samples that the stages are for.
 *
 * @property rows number of rows of the data set.
 * @property samples effective number of samples; see [org.sartor.data.Dataset.effectiveSampleSize].
 * @property outputs number of active classes.
 * @property rate learning rate of the first step.
 * @property hasDefaultRate whether [rate] is the default of the features.
 * @property isWarm whether the training continues from earlier weights.
 */
internal class StageBasis(
    val rows: Int,
    val samples: Double,
    val outputs: Int,
    val rate: Double,
    val hasDefaultRate: Boolean,
    val isWarm: Boolean,
)

/**
 * Return the stages of a training, of which the first ones are run.
 *
 * There is one stage if the options or the manifest limit the training or state the weight decay,
 * if it continues from earlier weights, and for heads without normalization and regressions.
 */
internal fun trainingStages(
    manifest: Manifest,
    options: TrainingOptions,
    basis: StageBasis,
): List<Schedule> {
    val batches = batchesOf(basis.rows, manifest.batchSize)
    // the loss is the mean over the outputs if each has a weight
    val outputs = if (manifest.weightsPerOutput) basis.outputs else 1
    val stated = options.weightDecay ?: manifest.weightDecay
    val hasPath = manifest.head.featureNorm != null && manifest.task != REGRESSION
    if (stated == null && hasPath && !basis.isWarm && !options.isLimited) {
        val most = minOf(
            PathRule.MAX_STEPS,
            PathRule.CLASS_STEPS / classFactor(manifest, basis.outputs),
        )
        return PathRule.STRENGTHS.map { strength ->
            val steps = (PathRule.STEPS * basis.samples / strength)
                .coerceIn(PathRule.MIN_STEPS, most)
            stage(manifest, options, basis, steps, strength / basis.samples / outputs)
        }
    }
    val initial = if (hasPath) SingleRule.STRENGTH / basis.samples / outputs else 0.0
    val steps = (SingleRule.EPOCHS * batches)
        .coerceIn(SingleRule.MIN_STEPS.toLong(), SingleRule.MAX_STEPS.toLong())
    val weightDecay = stated ?: if (basis.isWarm) null else initial
    return listOf(stage(manifest, options, basis, steps.toDouble(), weightDecay))
}

/** Return the number of batches of an epoch. */
internal fun batchesOf(rows: Int, size: Int): Int = (rows + size - 1) / size

/** Return a stage of a number of steps. */
private fun stage(
    manifest: Manifest,
    options: TrainingOptions,
    basis: StageBasis,
    steps: Double,
    weightDecay: Double?,
): Schedule {
    val step = manifest.optimizer.step
    val batches = batchesOf(basis.rows, manifest.batchSize)
    val slow = if (!step.adaptive && step.momentum == 0.0) SLOW else 1
    val addsCurvature = basis.hasDefaultRate && !step.adaptive && weightDecay != null
    val peak = when {
        addsCurvature -> 1 / (1 / basis.rate + weightDecay!! / stableRate(manifest))
        else -> basis.rate
    }
    val epochs = options.epochs ?: maxOf(LEAST_EPOCHS, ceil(slow * steps / batches).toInt())
    return Schedule(epochs, batches, peak, options.decay, weightDecay)
}
