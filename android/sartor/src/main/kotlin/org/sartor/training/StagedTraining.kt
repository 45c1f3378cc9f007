package org.sartor.training

import java.util.Locale
import kotlin.math.ln
import org.sartor.History
import org.sartor.RandomNumbers
import org.sartor.TrainingError
import org.sartor.TrainingOptions
import org.sartor.contract.Manifest
import org.sartor.data.CLASSIFICATION
import org.sartor.data.Dataset
import org.sartor.data.MULTI_LABEL
import org.sartor.data.REGRESSION
import org.sartor.litert.Variables
import org.sartor.split
import org.sartor.store.readRows

/** A default learning rate that is too high. */
private object Retry {
    const val MOST = 3

    /** Of the rate before. */
    const val FACTOR = 1.0 / 8

    /** A loss above both has risen: 1.2 times that before, 0.9 times that of chance. */
    const val RISE = 1.2
    const val CHANCE = 0.9
}

private const val RATE_BATCHES = 16 // that the default learning rate follows from

/**
 * The training of one set of samples: from starting weights, stage by stage.
 *
 * Several trainings may take turns in the same model: each keeps its weights between two stages.
 * The constructor chooses the stages and learning rates.
 *
 * @param model copy of the model, for training.
 * @param options options of the training.
 * @param data samples and starting weights.
 * @param control pauses and stops the training.
 */
internal class StagedTraining(
    private val model: TrainingModel,
    options: TrainingOptions,
    private val data: TrainingData,
    private val control: Control,
) {
    private val manifest: Manifest = model.manifest
    private val samples = model.trainingSamples(data)
    private val mixed = samples.take(samples.mixedRows(manifest.batchSize, options.seed))
    private val heldOut = data.heldOut?.let { model.dataset(data, it) }
    private val hasDefaultRate = options.learningRate == null && manifest.learningRate == null
    private var variables: Variables? = null

    /**
     * The options for the trainings of a cross-validation.
     *
     * They have the learning rate of this training, unless it is the default one of the features.
     */
    var foldOptions: TrainingOptions = options
        private set

    /** Stages of the training; see [trainingStages]. */
    var stages: List<Schedule> = createStages()
        private set

    /** Number of stages that were run. */
    var completed: Int = 0
        private set

    private var trainer = createTrainer()

    /** The history of the stages until now. */
    val history: History
        get() = trainer.history.copy(samples = data.samples.samples.toSet().size)

    /** Set the weights that the training starts from. */
    fun start(): Unit = model.start(data, samples, mixed)

    /**
     * Train the next stage; the model then holds its weights.
     *
     * If the loss rises in the first stage with a default learning rate, the stage is repeated with
     * a lower one.
     *
     * @param onEpoch called after each epoch.
     * @param planned number of epochs of all stages, for [onEpoch]. Default: those until the end of
     *   this stage.
     * @throws TrainingError if the loss rises, or a loss or weight is no longer finite.
     */
    fun run(onEpoch: EpochCallback? = null, planned: Int = 0) {
        val before = variables
        if (before == null) {
            runFirst(onEpoch, planned)
        } else {
            model.engine.restore(before)
            trainer.run(stages[completed], onEpoch, planned)
        }
        variables = model.engine.variables()
        completed += 1
    }

    /** Set the weights of the last complete stage. */
    fun restore() {
        variables?.let { model.engine.restore(it) }
    }

    private fun runFirst(onEpoch: EpochCallback?, planned: Int) {
        var retries = 0
        while (true) {
            start()
            val before = model.evaluate(mixed).loss
            try {
                trainer.run(stages.first(), onEpoch, planned)
                if (!history.stopped) checkLoss(before)
                return
            } catch (error: TrainingError) {
                if (!hasDefaultRate || retries == Retry.MOST || control.used >= 1) throw error
                retries += 1
                lowerPeak()
                trainer = createTrainer()
            }
        }
    }

    private fun createTrainer() = Trainer(
        model.engine,
        manifest,
        samples,
        control,
        foldOptions.seed,
        heldOut,
        foldOptions.patience,
    )

    private fun createStages(): List<Schedule> {
        val stated = foldOptions.learningRate ?: manifest.learningRate
        val basis = StageBasis(
            rows = samples.rows,
            samples = samples.effectiveSampleSize,
            outputs = data.classIndices.size,
            rate = stated ?: chooseRate(),
            hasDefaultRate = hasDefaultRate,
            isWarm = data.isWarm,
        )
        return trainingStages(manifest, foldOptions, basis)
    }

    /** Return the default learning rate of the samples. */
    private fun chooseRate(): Double {
        model.normalize(data, mixed)
        val standard = defaultRate(
            manifest,
            firstBatches(),
            outputs = data.classIndices.size.takeIf { it > 0 } ?: manifest.classes.size,
            magnitude = if (manifest.task == REGRESSION) samples.targetRms else 1.0,
        )
        if (manifest.head.featureNorm != null) return standard
        start()
        val rate = searchRate(model, samples, standard, control, foldOptions.seed)
        foldOptions = foldOptions.copy(learningRate = rate)
        return rate
    }

    /** Return rows after normalization, and their weights, of the first batches to train on. */
    private fun firstBatches(): List<WeightedRows> {
        val order = RandomNumbers(foldOptions.seed).permutation(samples.rows)
        val batches = batchesOf(samples.rows, manifest.batchSize)
        val parts = split(samples.rows, batches).take(RATE_BATCHES)
        val first = order.copyOf(parts.last().end)
        val rows = model.classWeights.normalize(readRows(samples.features, first))
        return parts.map { part ->
            val weights = DoubleArray(part.end - part.start) { i ->
                samples.weightOf(first[part.start + i])
            }
            WeightedRows(rows.subList(part.start, part.end), weights)
        }
    }

    private fun lowerPeak() {
        val peak = stages.first().peak * Retry.FACTOR
        stages = stages.map { it.copy(peak = peak) }
        foldOptions = foldOptions.copy(learningRate = peak)
    }

    /** Throw TrainingError if the loss of some samples is higher than before the training. */
    private fun checkLoss(before: Double) {
        val after = model.evaluate(mixed).loss
        val limit = maxOf(Retry.RISE * before, Retry.CHANCE * chanceLoss(samples))
        if (!(after <= limit)) {
            throw TrainingError(
                "the loss rose from ${short(before)} to ${short(after)} at learning rate " +
                    "${short(stages.first().peak)}; the weights before the training stay. Train " +
                    "with a lower learning rate",
            )
        }
    }

    private fun chanceLoss(samples: Dataset): Double = when (manifest.task) {
        CLASSIFICATION -> ln(maxOf(2, data.classIndices.size).toDouble())
        MULTI_LABEL -> ln(2.0)
        else -> samples.targetRms * samples.targetRms
    }
}

/** Return a number with three digits. */
private fun short(number: Double): String = String.format(Locale.ROOT, "%.3g", number)
