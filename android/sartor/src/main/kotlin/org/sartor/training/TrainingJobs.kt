package org.sartor.training

import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import org.sartor.DataError
import org.sartor.Depth
import org.sartor.Epoch
import org.sartor.History
import org.sartor.TrainingError
import org.sartor.TrainingJob
import org.sartor.TrainingListener
import org.sartor.TrainingOptions
import org.sartor.confidence.OODDetector
import org.sartor.contract.Manifest
import org.sartor.litert.Variables

/**
 * The samples and the model of trainings.
 *
 * Its functions are called while [TrainingJobs] holds its lock.
 */
internal interface TrainingSource {
    /** Whether there are samples, training or held-out ones. */
    val hasSamples: Boolean

    /** Manifest of the model. */
    val manifest: Manifest

    /** Return the samples and the weights for a training. */
    fun trainingData(options: TrainingOptions): TrainingData

    /** Return a copy of the model that only trainings use. */
    fun trainingModel(): TrainingModel

    /** Take the variables and the OOD detector that predictions use from now on. */
    fun publish(variables: Variables, detector: OODDetector?)

    /** Imprint the classes that are not trained, for other weights of tuned layers. */
    fun imprintNewClasses()

    /** Save the weights of a training, and return its history. */
    fun save(history: History): History
}

/**
 * The training jobs of one model; at most one runs at a time.
 *
 * @param source samples and model.
 * @param lock guards samples and model.
 * @param prepareThread called first in the thread of each training.
 */
internal class TrainingJobs(
    private val source: TrainingSource,
    private val lock: ReentrantLock,
    private val prepareThread: () -> Unit = {},
) : AutoCloseable {
    @Volatile private var job: TrainingJob? = null
    private var model: TrainingModel? = null

    /** History of the last training that was completed; null if there was none. */
    @Volatile
    var history: History? = null
        private set

    /**
     * Start a training job.
     *
     * @throws DataError if there are no samples, or no tuned layers to train.
     * @throws TrainingError if a job is running.
     */
    fun start(options: TrainingOptions, listener: TrainingListener?): TrainingJob = lock.withLock {
        if (job?.isRunning == true) {
            throw TrainingError("a training is running: wait for it, or stop it")
        }
        if (!source.hasSamples) {
            throw DataError("there are no training samples: add samples with addSample first")
        }
        if (options.depth == Depth.LAYERS && source.manifest.layers == null) {
            throw DataError(
                "depth must be AUTO or HEAD, got LAYERS: the model has no tuned layers. Convert " +
                    "its base with --fine-tune",
            )
        }
        val control = Control(options.secondsOfPart(source.manifest))
        val next = TrainingJob(control, listener) { train(options, control, listener) }
        job = next
        next.start()
    }

    /** End a running job after its present step. */
    fun stop() {
        job?.stop()
    }

    /** Stop a running job; then, while no job can start, call a function under the lock. */
    fun <T> exclusive(action: () -> T): T {
        while (true) {
            job?.stopAndAwait()
            lock.withLock {
                if (job?.isRunning != true) return action()
            }
        }
    }

    /** Release the memory; no job may be running. */
    override fun close() {
        model?.close()
        model = null
    }

    private fun train(
        options: TrainingOptions,
        control: Control,
        listener: TrainingListener?,
    ): History {
        prepareThread()
        val data = lock.withLock { source.trainingData(options) }
        val copy = model ?: lock.withLock { source.trainingModel() }.also { model = it }
        val onEpoch = { epoch: Epoch ->
            listener?.onEpoch(epoch)
            true
        }
        val result = try {
            trainModel(copy, options, data, control, ::publish, onEpoch)
        } catch (error: Throwable) {
            close() // LiteRT may have failed: the next training loads the model again
            throw error
        }
        return lock.withLock {
            if (source.manifest.layers != null) source.imprintNewClasses()
            source.save(result)
        }.also { history = it }
    }

    private fun publish(variables: Variables, detector: OODDetector?): Unit =
        lock.withLock { source.publish(variables, detector) }
}
