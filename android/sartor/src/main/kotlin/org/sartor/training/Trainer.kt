package org.sartor.training

import org.sartor.Epoch
import org.sartor.History
import org.sartor.Part
import org.sartor.RandomNumbers
import org.sartor.TrainingError
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.Batch
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.REGRESSION
import org.sartor.data.accuracy
import org.sartor.data.evaluateBatches
import org.sartor.data.taskOf
import org.sartor.litert.Engine
import org.sartor.split

/** Called after each epoch; returning false stops the training. */
internal typealias EpochCallback = (Epoch) -> Boolean

/** One step: the loss and the outputs of its rows are those before the update. */
private class Step(val rows: IntArray, val rate: Double, val loss: Double, val outputs: Matrix)

/**
 * Trains the model of an engine on one data set, in one stage or several: epochs of steps.
 *
 * @param engine engine that holds the model; no other thread may call it.
 * @param manifest manifest of the model.
 * @param samples training samples, at least one.
 * @param control pauses and stops the training between steps.
 * @param seed seed of the order of the samples. The same seed gives the same weights.
 * @param heldOut samples for early stopping: the weights with the lowest loss on them are kept.
 *   Default: none.
 * @param patience number of epochs without a lower loss on [heldOut] that ends the training.
 *   Default: no early stopping.
 */
internal class Trainer(
    private val engine: Engine,
    private val manifest: Manifest,
    samples: Dataset,
    private val control: Control,
    seed: Long,
    heldOut: Dataset? = null,
    patience: Int? = null,
) {
    private val samples = samples.withTargets(taskOf(manifest).trainingTargets(samples.targets))
    private val batch = Batch(manifest)
    private val numbers = RandomNumbers(seed)
    private val earlyStopping = heldOut?.let { EarlyStopping(it, patience) }
    private val epochs = ArrayList<Epoch>()
    private var steps = 0
    private var isStopped = false

    /** The history of all stages until now. */
    val history: History get() = History(epochs.toList(), steps, samples.sampleCount, isStopped)

    private val isConverged: Boolean get() = earlyStopping?.isOver ?: false

    /**
     * Train one stage from the present weights of the engine.
     *
     * An error of [onEpoch] ends the training and is thrown; the present weights stay.
     *
     * @param schedule number of epochs, learning rates and weight decay.
     * @param onEpoch called after each epoch. Without it, the history has no epochs: of a few
     *   samples, they would take longer than the steps.
     * @param planned number of epochs of all stages, for [onEpoch]. Default: those until the end of
     *   this stage.
     * @throws TrainingError if the loss or a weight is no longer finite.
     */
    fun run(schedule: Schedule, onEpoch: EpochCallback? = null, planned: Int = 0) {
        setWeightDecay(schedule)
        val last = maxOf(planned, epochs.size + schedule.epochs)
        val isComplete = runEpochs(schedule, onEpoch, last)
        checkWeights()
        isStopped = !(isComplete || isConverged || control.used == 1.0)
        earlyStopping?.best?.let { engine.restore(it) }
    }

    /** Train epoch by epoch; return whether all were completed. */
    private fun runEpochs(schedule: Schedule, onEpoch: EpochCallback?, planned: Int): Boolean {
        val start = steps
        for (epoch in 1..schedule.epochs) {
            val ofEpoch = runEpoch(schedule, start, onEpoch != null) ?: return false
            noteHeldOutLoss()
            var isRefused = false
            if (onEpoch != null) {
                val summary = summary(ofEpoch, planned)
                epochs.add(summary)
                isRefused = !onEpoch(summary)
            }
            if (isRefused || control.isStopped || isConverged) return epoch == schedule.epochs
        }
        return true
    }

    /** Train one epoch in random order; return null if it was stopped. */
    private fun runEpoch(schedule: Schedule, start: Int, keepSteps: Boolean): List<Step>? {
        val order = numbers.permutation(samples.rows)
        val ofEpoch = ArrayList<Step>()
        for (part in split(order.size, schedule.batches)) {
            if (!control.await()) return null
            val progress = maxOf((steps - start).toDouble() / schedule.steps, control.used)
            val step = step(order, part, schedule.rate(progress))
            if (keepSteps) ofEpoch.add(step)
        }
        return ofEpoch
    }

    private fun setWeightDecay(schedule: Schedule) {
        val weightDecay = schedule.weightDecay ?: return
        val value = floatArrayOf(weightDecay.toFloat())
        engine.restore(engine.variables() + (Contract.WEIGHT_DECAY to value))
    }

    /** Train one step on some rows. */
    private fun step(order: IntArray, part: Part, rate: Double): Step {
        val rows = order.copyOfRange(part.start, part.end)
        val inputs = batch.labelledInputs(samples, rows)
        val learningRate = Contract.LEARNING_RATE to floatArrayOf(rate.toFloat())
        val result = engine.run("train", inputs + learningRate)
        steps += 1
        val loss = result.getValue(Contract.LOSS)[0].toDouble()
        if (!loss.isFinite()) throw notFinite("the loss")
        val outputs = Matrix(result.getValue(Contract.OUTPUT), manifest.classes.size)
        return Step(rows, rate, loss, outputs.first(rows.size))
    }

    /** Return the mean loss and the accuracy of the steps of an epoch. */
    private fun summary(ofEpoch: List<Step>, planned: Int): Epoch {
        val rows = IntArray(ofEpoch.sumOf { it.rows.size })
        var at = 0
        var loss = 0.0
        var total = 0.0
        for (step in ofEpoch) {
            val weight = step.rows.sumOf { samples.weightOf(it) }
            loss += step.loss * weight
            total += weight
            step.rows.copyInto(rows, at)
            at += step.rows.size
        }
        return Epoch(
            epochs.size + 1,
            planned,
            loss / total,
            if (manifest.task == REGRESSION) null else accuracyOf(ofEpoch, rows),
            ofEpoch.last().rate,
            earlyStopping?.loss,
        )
    }

    private fun accuracyOf(ofEpoch: List<Step>, rows: IntArray): Double = accuracy(
        taskOf(manifest),
        Matrix.stack(ofEpoch.map { it.outputs }),
        samples.targets.take(rows),
        samples.weights.take(rows),
    )

    private fun noteHeldOutLoss() {
        val stopping = earlyStopping ?: return
        stopping.note(evaluateBatches(engine, batch, stopping.samples).loss, engine)
    }

    private fun checkWeights() {
        for ((name, values) in engine.variables()) {
            if (!values.all { it.isFinite() }) throw notFinite(name)
        }
    }

    private fun notFinite(name: String) = TrainingError(
        "$name is no longer finite after $steps steps; the weights before the training stay. " +
            "Train with a lower learning rate",
    )
}
