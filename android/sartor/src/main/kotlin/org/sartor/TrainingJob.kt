package org.sartor

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import org.sartor.training.Control

/** Receives the progress and the end of a training, in the thread of the training. */
public interface TrainingListener {
    /** Called after each epoch. An exception ends the training, which fails with it. */
    public fun onEpoch(epoch: Epoch) {}

    /** Called at the end of a training, also if it was stopped. */
    public fun onEnd(history: History) {}

    /**
     * Called if a training fails; the weights before it stay.
     *
     * @param error [TrainingError] if the loss rose or was no longer finite, or the exception of
     *   [onEpoch].
     */
    public fun onError(error: Throwable) {}
}

/**
 * A training in a thread of its own: the result of `PersonalModel.startTraining`.
 *
 * Every method may be called from any thread.
 */
public class TrainingJob internal constructor(
    private val control: Control,
    private val listener: TrainingListener?,
    private val work: () -> History,
) {
    private val end = CountDownLatch(1)
    private val thread = Thread(::run, "sartor-training").apply { isDaemon = true }
    private var history: History? = null
    private var error: Throwable? = null

    /** Whether the training has not ended. A paused training is running. */
    public val isRunning: Boolean get() = end.count > 0

    /** Whether the training waits for [resume]. */
    public val isPaused: Boolean get() = isRunning && control.isPaused

    /** Pause before the next step. Predictions continue to work. */
    public fun pause(): Unit = control.pause()

    /** Continue after [pause]. */
    public fun resume(): Unit = control.resume()

    /** End the training after the present step; its weights are kept if their loss is lower. */
    public fun stop(): Unit = control.stop()

    /**
     * Wait until the training ends.
     *
     * @return the history of the training.
     * @throws TrainingError if the loss is no longer finite; the weights before the training stay.
     * @throws InterruptedException if the calling thread is interrupted; the training continues.
     */
    @Throws(InterruptedException::class)
    public fun await(): History {
        checkThread()
        end.await()
        return result()
    }

    /**
     * Wait until the training ends, or a time has passed.
     *
     * @param timeout longest time to wait.
     * @param unit unit of [timeout].
     * @return the history of the training.
     * @throws TimeoutException if the training has not ended in time; it continues.
     * @throws TrainingError if the loss is no longer finite; the weights before the training stay.
     * @throws InterruptedException if the calling thread is interrupted; the training continues.
     */
    @Throws(InterruptedException::class, TimeoutException::class)
    public fun await(timeout: Long, unit: TimeUnit): History {
        checkThread()
        if (!end.await(timeout, unit)) {
            throw TimeoutException("the training has not ended after $timeout $unit".lowercase())
        }
        return result()
    }

    /** Start the thread. */
    internal fun start(): TrainingJob {
        thread.start()
        return this
    }

    /** Stop the training and wait until it ends; an error of it is ignored. */
    internal fun stopAndAwait() {
        checkThread()
        stop()
        end.await()
    }

    private fun run() {
        try {
            history = work()
        } catch (failure: Throwable) {
            error = failure
        } finally {
            end.countDown()
        }
        history?.let { listener?.onEnd(it) }
        error?.let { listener?.onError(it) }
    }

    private fun result(): History {
        error?.let { throw it }
        return checkNotNull(history)
    }

    private fun checkThread() {
        noteSlowCall()
        if (isRunning && Thread.currentThread() === thread) {
            throw TrainingError(
                "a listener cannot wait for the end of its own training: call stop to end it",
            )
        }
    }
}
