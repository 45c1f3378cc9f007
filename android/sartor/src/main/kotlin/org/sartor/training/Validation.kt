package org.sartor.training

import org.sartor.History
import org.sartor.TrainingError
import org.sartor.TrainingOptions
import org.sartor.confidence.CrossValidation
import org.sartor.confidence.HeldOutOutputs
import org.sartor.confidence.OODDetector
import org.sartor.confidence.assignValidationFolds
import org.sartor.confidence.crossValidate
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.REGRESSION
import org.sartor.distinct
import org.sartor.indicesOf
import org.sartor.litert.Variables

private const val LEAST_GAIN = 0.01 // nats; a stage that gains less is not worth its time
private const val LEAST_FRACTION = 0.02 // of the loss, in addition
private const val MOST_NAMES = 5 // in a message

/**
 * The stage to end a training at, and the outputs that selected it.
 *
 * @property stages number of stages to run, at least 1.
 * @property assigned fold of each row, [N]; see [assignValidationFolds].
 * @property heldOut outputs of the last of these stages for held-out rows.
 */
internal class Selection(val stages: Int, val assigned: IntArray, val heldOut: HeldOutOutputs)

/**
 * Results of a cross-validation, to publish and to report.
 *
 * @property detector OOD detector.
 * @property variables variables to replace.
 * @property accuracy expected accuracy, 0…1.
 * @property calibrationError expected calibration error, 0…1.
 * @property warnings messages about what could not be measured.
 */
internal class Validation(
    val detector: OODDetector?,
    val variables: Variables,
    val accuracy: Double?,
    val calibrationError: Double?,
    val warnings: List<String>,
)

/**
 * Train without each fold, stage by stage, until the loss on held-out rows stops falling.
 *
 * If an option limits the training, each fold has as many epochs as [history]. All folds together
 * have the time limit of the training again.
 *
 * @param model copy of the model, for training.
 * @param options options of the training.
 * @param data its samples.
 * @param control pauses and stops the cross-validation.
 * @param history history of the first stage on all samples.
 * @return the selection; null for a regression.
 */
internal fun selectStage(
    model: TrainingModel,
    options: TrainingOptions,
    data: TrainingData,
    control: Control,
    history: History,
): Selection? {
    if (model.manifest.task == REGRESSION) return null
    val samples = model.dataset(data, data.samples)
    val assigned = assignValidationFolds(samples, data.groups(), options.seed)
    val epochs = history.epochs.size
    val limited = control.limited()
    val ofFolds = if (options.isLimited && epochs > 0) options.copy(epochs = epochs) else options
    val folds = LinkedHashMap<Int, StagedTraining>()
    for (fold in distinct(assigned)) {
        if (fold < 0 || epochs == 0) continue
        val part = data.part(indicesOf(assigned.size) { assigned[it] != fold })
        folds[fold] = StagedTraining(model, ofFolds, part, limited)
    }
    if (folds.isEmpty()) return Selection(1, assigned, HeldOutOutputs(samples))
    return FoldTrainings(model, data, samples, assigned, folds).selectLast()
}

/**
 * Fit temperature and OOD detector, and measure the accuracy on the held-out rows.
 *
 * @param model holds the weights that were trained on all samples, at temperature 1.
 * @param data its samples.
 * @param selection outputs for held-out rows.
 * @param options options of the training.
 * @param heldOutFeatures see [crossValidate].
 */
internal fun validate(
    model: TrainingModel,
    data: TrainingData,
    selection: Selection,
    options: TrainingOptions,
    heldOutFeatures: List<Matrix>? = null,
): Validation {
    val manifest = model.manifest
    val samples = model.dataset(data, data.samples)
    val outputs = model.evaluate(samples).outputs
    val result = crossValidate(
        manifest,
        samples,
        selection.assigned,
        selection.heldOut,
        outputs,
        heldOutFeatures,
    )
    return Validation(
        result.oodDetector,
        mapOf(Contract.TEMPERATURE to floatArrayOf(result.temperature.toFloat())),
        result.accuracy,
        result.calibrationError,
        warningsOf(result, manifest, data, options.seconds),
    )
}

/** The trainings without each fold: fold → training. */
private class FoldTrainings(
    private val model: TrainingModel,
    private val data: TrainingData,
    private val samples: Dataset,
    private val assigned: IntArray,
    private val trainings: Map<Int, StagedTraining>,
) {
    /** Run the stages of all folds until the loss on the held-out rows stops falling. */
    fun selectLast(): Selection {
        val most = trainings.values.maxOf { it.stages.size }
        var best: Selection? = null
        var lowest = Double.POSITIVE_INFINITY
        for (stages in 1..most) {
            val heldOut = runStage()
            val selection = Selection(stages, assigned, heldOut)
            if (!heldOut.folds.contentEquals(assigned)) return best ?: selection
            if (heldOut.accuracy(model.manifest, samples) == 1.0) return selection
            val loss = heldOut.loss(model.manifest, samples)
            val isLittle = lowest - loss < LEAST_GAIN + LEAST_FRACTION * loss
            if (best != null && isLittle) return best
            best = selection
            lowest = loss
        }
        return best ?: Selection(1, assigned, HeldOutOutputs(samples))
    }

    /** Train the next stage without each fold, until a training is not completed. */
    private fun runStage(): HeldOutOutputs {
        val heldOut = HeldOutOutputs(samples)
        for ((fold, training) in trainings) {
            try {
                training.run()
            } catch (error: TrainingError) {
                return heldOut
            }
            if (training.history.stopped) return heldOut
            val rows = indicesOf(assigned.size) { assigned[it] == fold }
            val part = model.dataset(data, data.samples.take(rows))
            heldOut.set(fold, rows, model.evaluate(part).outputs)
        }
        return heldOut
    }
}

/** Return class names for a message; of many, the first five and the number of the others. */
internal fun joinNames(names: List<String>): String {
    val first = names.take(MOST_NAMES).joinToString { "'$it'" }
    return if (names.size > MOST_NAMES) "$first and ${names.size - MOST_NAMES} more" else first
}

/** Return messages about what the expected accuracy does not say. */
private fun warningsOf(
    result: CrossValidation,
    manifest: Manifest,
    data: TrainingData,
    seconds: Double?,
): List<String> {
    val unknown = "the expected accuracy is unknown:"
    val missing = data.classIndices.filterValues { it !in result.heldOutClasses }.keys.toList()
    val hasNone = result.heldOutClasses.isEmpty()
    val warning = when {
        result.accuracy == null && data.classIndices.size < 2 ->
            "$unknown there is one class only. Add samples of another class"
        !result.canHoldOut ->
            "$unknown no class has two different samples. Add samples that differ"
        hasNone && seconds != null ->
            "$unknown there was no time to measure it. Train for more than $seconds s"
        hasNone -> "$unknown the cross-validation was not completed. Train again"
        data.isUniform(manifest) ->
            "the photos of each class are as alike as those of one burst: the expected accuracy " +
                "is that on more of them only. Add photos of other places and views"
        missing.isNotEmpty() ->
            "the expected accuracy is not that of ${joinNames(missing)}: their samples are " +
                "near-duplicates, or single. Add samples that differ"
        else -> null
    }
    return listOfNotNull(warning)
}
