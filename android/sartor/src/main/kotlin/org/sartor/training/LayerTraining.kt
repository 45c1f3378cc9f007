package org.sartor.training

import org.sartor.DataError
import org.sartor.Depth
import org.sartor.History
import org.sartor.SartorError
import org.sartor.StoreError
import org.sartor.TrainingError
import org.sartor.TrainingOptions
import org.sartor.confidence.HeldOutOutputs
import org.sartor.contract.Contract
import org.sartor.contract.ofHead
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.accuracy
import org.sartor.data.taskOf
import org.sartor.indicesOf
import org.sartor.litert.Variables
import org.sartor.litert.headEngine
import org.sartor.litert.headFeatures
import org.sartor.store.SampleSet

private const val LEAST_STEPS = 120
private const val EPOCHS = 8
private const val MOST_STEPS = 600

/**
 * A training of the layers without one fold.
 *
 * @property heldOut outputs for the rows that were held out.
 * @property features features of all rows behind the layers of this training.
 * @property isBetter whether the held-out rows have a lower loss, or a higher accuracy, than with
 *   the head alone.
 */
private class Evidence(
    val heldOut: HeldOutOutputs,
    val features: List<Matrix>,
    val isBetter: Boolean,
)

/** Train a model: its head, and its tuned layers if it has any; see [trainHead]. */
internal fun trainModel(
    model: TrainingModel,
    options: TrainingOptions,
    data: TrainingData,
    control: Control,
    publish: Publish,
    onEpoch: EpochCallback = { true },
): History = when (model.manifest.layers) {
    null -> trainHead(model, options, data, control, publish, onEpoch).history
    else -> LayerTraining(model, options, data, control, publish, onEpoch).run()
}

/**
 * One training of a file with tuned layers: the head first, then the layers if they gain.
 *
 * The head trains with the whole recipe, on features that the layers compute once. Then layers and
 * head train without one fold. If the loss on this fold falls or the accuracy rises, they train
 * on all samples, and the outputs for the fold calibrate them.
 */
private class LayerTraining(
    private val model: TrainingModel,
    private val options: TrainingOptions,
    private var data: TrainingData,
    private val control: Control,
    private val publish: Publish,
    private val onEpoch: EpochCallback,
) {
    private val manifest = model.manifest
    private val head = TrainingModel(headEngine(model.engine, manifest), manifest.ofHead())
    private var rate: Double? = options.learningRate ?: manifest.learningRate

    /**
     * Train the head, then the layers with it.
     *
     * A training that continues from earlier weights leaves the layers as they are.
     */
    fun run(): History {
        model.engine.restore(if (data.isWarm) data.variables else model.untrained)
        val headData = withoutDeleted()
        if (data.samples.samples.isEmpty()) {
            throw DataError(
                "all training samples were deleted: add samples with addSample first",
            )
        }
        val trained = trainHead(head, options, headData, control, publish, onEpoch)
        val isStopped = trained.history.stopped
        if (isStopped && !data.isWarm) keepBetter(trained.variables)
        if (options.depth == Depth.HEAD || data.isWarm || isStopped) return trained.history
        return try {
            trainLayers(headData, trained)
        } catch (error: TrainingError) {
            withWarning(trained.history, error)
        } catch (error: StoreError) {
            withWarning(trained.history, error)
        }
    }

    private fun withWarning(history: History, error: SartorError): History {
        val warning = "the tuned layers were not trained: ${error.message}"
        return history.copy(warnings = history.warnings + warning)
    }

    /**
     * Publish the weights before the training again if their loss is not higher.
     *
     * The training of the head has compared them on features behind the initial layers.
     */
    private fun keepBetter(variables: Variables) {
        val samples = model.trainingSamples(data)
        model.engine.restore(variables)
        val after = model.evaluate(samples).loss
        model.engine.restore(data.variables)
        val before = model.evaluate(samples).loss
        if (before <= after) publish(data.variables, data.detector)
    }

    /**
     * Remove the samples that were deleted from the store, and return the others with the features
     * that the present layers compute.
     */
    private fun withoutDeleted(): TrainingData {
        val (samples, rows) = behindLayers(data.samples)
        val behind = data.heldOut?.let(::behindLayers)
        val heldOut = data.heldOut
        if (behind?.second?.isEmpty() == true) {
            throw DataError(
                "all held-out samples were deleted: add some, or train without patience",
            )
        }
        data = data.copy(
            samples = data.samples.take(rows),
            heldOut = behind?.let { heldOut?.take(it.second) },
        )
        return data.copy(
            samples = samples.take(rows),
            heldOut = behind?.let { it.first.take(it.second) },
        )
    }

    /**
     * Return samples with the features behind the present layers, and the rows that are still
     * stored. The features of deleted samples are those of zeros.
     */
    private fun behindLayers(set: SampleSet): Pair<SampleSet, IntArray> {
        val features = headFeatures(model.engine, manifest, set.features)
        return set.withFeatures(features) to set.present()
    }

    private fun trainLayers(headData: TrainingData, trained: HeadTraining): History {
        val isAuto = options.depth == Depth.AUTO
        val progress = Progress(onEpoch, trained.history.epochs)
        val ofEvidence = control.limited()
        val evidence = holdOut(headData, trained, ofEvidence, progress)
        val isNoBetter = isAuto && evidence?.isBetter != true
        if (isNoBetter || progress.isStopped || control.isStopped) {
            return headHistory(trained, ofEvidence, progress)
        }
        val limited = control.limited()
        val trainer = trainer(data, limited)
        model.engine.restore(start(trained.variables))
        val before = if (isAuto) trainingAccuracy() else 0.0
        trainer.run(schedule(data, limited), progress.nextPart())
        val history = trainer.history
        val isRefused = isAuto && trainingAccuracy() < before // the rate was too high
        if (history.stopped || isRefused) return headHistory(trained, limited, progress)
        val variables = model.variables(data)
        val validation = validate(trained, evidence)
        publish(variables + validation?.variables.orEmpty(), validation?.detector)
        return History(
            progress.epochs,
            trained.history.steps + history.steps,
            trained.history.samples,
            stopped = false,
            validation?.accuracy,
            validation?.calibrationError,
            validation?.warnings.orEmpty(),
            Depth.LAYERS,
        )
    }

    /** Return the history of a training that keeps the head and the initial layers. */
    private fun headHistory(trained: HeadTraining, control: Control, progress: Progress): History {
        val reason = "there was no time to train the tuned layers."
        val isLate = control.isExpired
        val more =
            if (isLate) listOf("$reason Train for more than ${options.seconds} s") else emptyList()
        return trained.history.copy(
            epochs = progress.epochs,
            stopped = progress.isStopped || control.isStopped,
            warnings = trained.history.warnings + more,
        )
    }

    /** Return the accuracy of the present weights on the training samples. */
    private fun trainingAccuracy(): Double {
        val samples = model.trainingSamples(data)
        val outputs = model.evaluate(samples).outputs
        return accuracy(taskOf(manifest), outputs, samples.targets, samples.weights)
    }

    /** Train head and layers without one fold; return null if that is not possible. */
    private fun holdOut(
        headData: TrainingData,
        trained: HeadTraining,
        control: Control,
        progress: Progress,
    ): Evidence? {
        val selection = trained.selection ?: return null
        val fold = selection.heldOut.folds.filter { it >= 0 }.minOrNull() ?: return null
        val assigned = selection.assigned
        val others = indicesOf(assigned.size) { assigned[it] != fold }
        if (!trainOn(others, headData, trained, control, progress)) return null
        val rows = indicesOf(assigned.size) { assigned[it] == fold }
        val samples = head.dataset(headData, headData.samples)
        val all = model.evaluate(model.dataset(data, data.samples.take(rows))).outputs
        val (behind, stored) = behindLayers(data.samples)
        val storedRows = stored.toHashSet()
        val places = indicesOf(rows.size) { rows[it] in storedRows } // among the held-out rows
        if (places.isEmpty()) return null
        return evidence(selection, samples, behind, fold, rows.take(places), all.take(places))
    }

    /** Compare the outputs of layers and head for held-out rows with those of the head alone. */
    private fun evidence(
        selection: Selection,
        samples: Dataset,
        behind: SampleSet,
        fold: Int,
        rows: IntArray,
        outputs: Matrix,
    ): Evidence {
        val tuned = HeldOutOutputs(samples).apply { set(fold, rows, outputs) }
        val before = HeldOutOutputs(samples).apply {
            set(fold, rows, selection.heldOut.outputs.take(rows))
        }
        val isBetter = tuned.loss(manifest, samples) < before.loss(manifest, samples) ||
            tuned.accuracy(manifest, samples) > before.accuracy(manifest, samples)
        return Evidence(tuned, behind.features, isBetter)
    }

    /** Train the head, then layers and head, on some of the rows; return whether it ended. */
    private fun trainOn(
        rows: IntArray,
        headData: TrainingData,
        trained: HeadTraining,
        control: Control,
        progress: Progress,
    ): Boolean {
        val training = StagedTraining(head, trained.options, headData.part(rows), control)
        repeat(trained.selection?.stages ?: 0) { training.run() }
        val part = data.part(rows)
        model.engine.restore(start(model.engine.variables()))
        val trainer = trainer(part, control)
        trainer.run(schedule(part, control), progress.nextPart(later = epochsOf(data)))
        return !(training.history.stopped || trainer.history.stopped)
    }

    /**
     * Validate the present weights by the outputs of the training without a fold.
     *
     * The layers have seen all samples, so the threshold of the OOD detector follows from the
     * features behind the layers of the other training.
     */
    private fun validate(trained: HeadTraining, evidence: Evidence?): Validation? {
        val selection = trained.selection ?: return null
        val used = when (evidence) {
            null -> selection
            else -> Selection(selection.stages, evidence.heldOut.folds, evidence.heldOut)
        }
        val (behind, rows) = behindLayers(data.samples)
        if (rows.isEmpty()) return null
        val rest = data.copy(samples = behind.take(rows), heldOut = null)
        val outputs = used.heldOut.take(rows, head.dataset(rest, rest.samples))
        val ofRows = Selection(used.stages, used.assigned.take(rows), outputs)
        return validate(head, rest, ofRows, options, evidence?.features?.map { it.take(rows) })
    }

    /** Return weights with the initial state of the optimizer, and temperature 1. */
    private fun start(variables: Variables): Variables {
        val states = manifest.variables.filter { it.role == Contract.OPTIMIZER_STATE }
        val names = states.map { it.name } + Contract.TEMPERATURE
        return variables + names.associateWith { model.untrained.getValue(it) }
    }

    private fun trainer(data: TrainingData, control: Control) = Trainer(
        model.engine,
        manifest,
        model.trainingSamples(data),
        control,
        options.seed,
        data.heldOut?.let { model.dataset(data, it) },
        options.patience,
    )

    /** Return the schedule of a training that starts from the present weights. */
    private fun schedule(data: TrainingData, control: Control): Schedule {
        val samples = model.trainingSamples(data)
        val peak = rate ?: searchLayerRate(model, samples, control, options.seed).also { rate = it }
        return Schedule(epochsOf(data), batchesOf(data), peak, options.decay)
    }

    private fun epochsOf(data: TrainingData): Int {
        val batches = batchesOf(data)
        val steps = (EPOCHS * batches).coerceIn(LEAST_STEPS, MOST_STEPS)
        return options.epochs ?: batchesOf(steps, batches)
    }

    private fun batchesOf(data: TrainingData): Int =
        batchesOf(data.samples.samples.size, manifest.batchSize)
}

private fun IntArray.take(rows: IntArray) = IntArray(rows.size) { this[rows[it]] }
