package org.sartor.training

import org.sartor.History
import org.sartor.TrainingError
import org.sartor.TrainingOptions
import org.sartor.confidence.OODDetector
import org.sartor.litert.Variables

private const val PUBLISH_INTERVAL = 100_000_000L // ns; more often, predictions would wait

/** Takes the variables and the OOD detector that predictions use from now on. */
internal typealias Publish = (Variables, OODDetector?) -> Unit

/**
 * The result of a training of a head.
 *
 * @property history its history.
 * @property variables the trained weights.
 * @property options its options, with the learning rate that was searched.
 * @property selection the stage at which it ended, and the outputs that selected it; null without a
 *   cross-validation.
 */
internal class HeadTraining(
    val history: History,
    val variables: Variables,
    val options: TrainingOptions,
    val selection: Selection?,
)

/**
 * Train a head and publish its weights: now and then during training, and at the end.
 *
 * If training is stopped, the weights with the lower loss are published: the new ones or those
 * before the training. If it fails, those before the training are: `data.variables` itself.
 *
 * @param model copy of the model, for training.
 * @param options options of the training.
 * @param data samples and starting weights.
 * @param control pauses and stops the training.
 * @param publish called with each set of weights for predictions.
 * @param onEpoch called after each epoch; returning false stops the training.
 * @throws TrainingError if the loss rises, or is no longer finite.
 */
internal fun trainHead(
    model: TrainingModel,
    options: TrainingOptions,
    data: TrainingData,
    control: Control,
    publish: Publish,
    onEpoch: EpochCallback = { true },
): HeadTraining {
    val training = StagedTraining(model, options, data, control)
    val selection = try {
        runStages(training, model, data, control, publishEpochs(model, data, publish, onEpoch))
    } catch (error: TrainingError) {
        publish(data.variables, data.detector)
        throw error
    } catch (error: Throwable) { // of the callback
        publish(betterVariables(model, data), data.detector)
        throw error
    }
    val history = training.history.copy(warnings = warningsOf(data))
    val variables = if (history.stopped) betterVariables(model, data) else model.variables(data)
    publish(variables, data.detector)
    if (history.stopped || selection == null) {
        return HeadTraining(history, variables, training.foldOptions, selection)
    }
    val validation = validate(model, data, selection, options)
    publish(variables + validation.variables, validation.detector)
    val validated = history.copy(
        expectedAccuracy = validation.accuracy,
        calibrationError = validation.calibrationError,
        warnings = history.warnings + validation.warnings,
    )
    return HeadTraining(validated, variables, training.foldOptions, selection)
}

/**
 * Run the first stage, select the last one by cross-validation, and run those up to it.
 *
 * @return the selection; null without a cross-validation.
 */
private fun runStages(
    training: StagedTraining,
    model: TrainingModel,
    data: TrainingData,
    control: Control,
    onEpoch: EpochCallback,
): Selection? {
    training.run(onEpoch, training.stages.sumOf { it.epochs })
    if (training.history.stopped || data.isWarm) return null
    val selection = selectStage(model, training.foldOptions, data, control, training.history)
    training.restore()
    if (selection == null) return null
    val planned = training.stages.take(selection.stages).sumOf { it.epochs }
    while (training.completed < selection.stages && !training.history.stopped) {
        training.run(onEpoch, planned)
    }
    return selection
}

/** Return a callback that publishes at the ends of epochs, and then calls [onEpoch]. */
private fun publishEpochs(
    model: TrainingModel,
    data: TrainingData,
    publish: Publish,
    onEpoch: EpochCallback,
): EpochCallback {
    var last = System.nanoTime()
    return { epoch ->
        if (System.nanoTime() - last >= PUBLISH_INTERVAL) {
            publish(model.variables(data), data.detector)
            last = System.nanoTime()
        }
        onEpoch(epoch)
    }
}

/** Return the present weights if their loss is lower than before the training, else those. */
private fun betterVariables(model: TrainingModel, data: TrainingData): Variables {
    val present = model.variables(data)
    val samples = model.trainingSamples(data)
    model.engine.restore(present)
    val after = model.evaluate(samples).loss
    model.engine.restore(data.variables)
    val before = model.evaluate(samples).loss
    return if (after < before) present else data.variables
}

/** Return a warning about classes that the training may have damaged. */
private fun warningsOf(data: TrainingData): List<String> {
    if (data.absent.isEmpty()) return emptyList()
    return listOf(
        "there are no samples of ${joinNames(data.absent)}: training continued from the weights " +
            "in use, and the accuracy on these classes may have fallen. Add samples of them, and " +
            "train again",
    )
}
