package org.sartor.training

import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

private const val NANOSECONDS = 1e9 // in a second

/** The requests of an app, which several controls share. */
private class Requests {
    val lock = ReentrantLock()
    val change = lock.newCondition()
    @Volatile var isStopped = false
    @Volatile var isPaused = false
}

/**
 * Pauses and stops a training between two steps, from any thread.
 *
 * @property seconds time limit of the training, in seconds; pauses do not count. Default: no limit.
 */
internal class Control private constructor(
    private val seconds: Double?,
    private val deadline: Double,
    private val requests: Requests,
) {
    constructor(seconds: Double? = null) :
        this(seconds, seconds ?: Double.POSITIVE_INFINITY, Requests())

    private val start = System.nanoTime()
    @Volatile private var pausedNanoseconds = 0L

    /** Whether [stop] was called. */
    val isStopped: Boolean get() = requests.isStopped

    /** Whether the training waits for [resume]. */
    val isPaused: Boolean get() = requests.isPaused

    /** Time since the start, in seconds, without pauses. */
    val elapsed: Double get() = (System.nanoTime() - start - pausedNanoseconds) / NANOSECONDS

    /** Used fraction of the time limit, 0…1; 0 if there is no limit. */
    val used: Double get() = if (seconds == null) 0.0 else minOf(1.0, elapsed / seconds)

    /** Whether the time limit has passed. */
    val isExpired: Boolean get() = elapsed >= deadline

    /** End the training before its next step, even if it is paused. */
    fun stop(): Unit = request {
        isStopped = true
        isPaused = false
    }

    /** Pause before the next step. */
    fun pause(): Unit = request { isPaused = !isStopped }

    /** Continue after [pause]. */
    fun resume(): Unit = request { isPaused = false }

    /**
     * Return a control for further work, paused and stopped together with this one.
     *
     * The work has the same time limit again, but its learning rate does not depend on the time.
     */
    fun limited(): Control = Control(null, deadline, requests)

    /** Wait while the training is paused, and return whether it continues. */
    fun await(): Boolean {
        if (isPaused) {
            val start = System.nanoTime()
            requests.lock.withLock {
                while (isPaused) requests.change.awaitUninterruptibly()
            }
            pausedNanoseconds += System.nanoTime() - start
        }
        return !isStopped && !isExpired
    }

    private fun request(change: Requests.() -> Unit) {
        requests.lock.withLock {
            requests.change()
            requests.change.signalAll()
        }
    }
}
