package org.sartor

import org.sartor.confidence.OODDetector
import org.sartor.contract.Manifest
import org.sartor.litert.Variables
import org.sartor.saved.Saver
import org.sartor.training.TrainingData
import org.sartor.training.TrainingModel
import org.sartor.training.TrainingSource
import org.sartor.training.createTrainingData

/**
 * The samples and the weights of an open model, for trainings.
 *
 * @param manifest manifest of the model.
 * @param samples training samples.
 * @param state receives the weights.
 * @param saver saves them.
 */
internal class ModelTraining(
    override val manifest: Manifest,
    private val samples: SampleCollection,
    private val state: ModelState,
    private val saver: Saver,
) : TrainingSource {
    override val hasSamples: Boolean get() = samples.store.size > 0

    override fun trainingData(options: TrainingOptions): TrainingData {
        samples.followStore()
        val training = samples.store.select(heldOut = false)
        val heldOut = samples.store.select(heldOut = true)
        return createTrainingData(manifest, options, state.beginTraining(), training, heldOut)
    }

    override fun trainingModel(): TrainingModel = TrainingModel(state.engine.copy(), manifest)

    override fun publish(variables: Variables, detector: OODDetector?) {
        state.publish(variables, detector)
    }

    override fun imprintNewClasses(): Unit = samples.imprintNewClasses()

    override fun save(history: History): History = try {
        saver.save()
        history
    } catch (error: SartorError) {
        val warning = "the trained weights are not saved: ${error.message}"
        history.copy(warnings = history.warnings + warning)
    }
}
