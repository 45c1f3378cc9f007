package org.sartor

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.training.Control

/** A training in a thread of its own. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
internal class TrainingJobTest {
    private val history = History(emptyList(), 0, 0, stopped = false)
    private val control = Control()

    /** Records the calls of a job. */
    private class Recorder : TrainingListener {
        val calls = ArrayList<Any>()
        val end = CountDownLatch(1)

        override fun onEnd(history: History) {
            calls.add(history)
            end.countDown()
        }

        override fun onError(error: Throwable) {
            calls.add(error)
            end.countDown()
        }
    }

    @Test
    fun returnsTheHistory() {
        val job = TrainingJob(control, null) { history }.start()
        assertSame(history, job.await())
        assertFalse(job.isRunning)
        assertSame("a second time", history, job.await(1, TimeUnit.SECONDS))
    }

    @Test
    fun throwsTheErrorOfTheTraining() {
        val error = TrainingError("the loss rose")
        val job = TrainingJob(control, null) { throw error }.start()
        assertSame(error, assertThrows(TrainingError::class.java) { job.await() })
    }

    @Test
    fun aWaitThatTimesOutDoesNotStopTheTraining() {
        val job = TrainingJob(control, null) { runUntilStopped() }.start()
        assertThrows(TimeoutException::class.java) { job.await(1, TimeUnit.MILLISECONDS) }
        assertTrue(job.isRunning)
        job.stop()
        assertSame(history, job.await())
    }

    @Test
    fun aPausedTrainingIsRunning() {
        val job = TrainingJob(control, null) { runUntilStopped() }.start()
        job.pause()
        assertTrue(job.isPaused)
        assertTrue(job.isRunning)
        job.resume()
        assertFalse(job.isPaused)
        job.stopAndAwait()
        assertFalse(job.isRunning)
    }

    @Test
    fun theListenerLearnsTheEnd() {
        val recorder = Recorder()
        TrainingJob(control, recorder) { history }.start()
        assertTrue(recorder.end.await(10, TimeUnit.SECONDS))
        assertEquals(listOf(history), recorder.calls)
    }

    @Test
    fun theListenerLearnsAnError() {
        val recorder = Recorder()
        val error = TrainingError("the loss rose")
        TrainingJob(control, recorder) { throw error }.start()
        assertTrue(recorder.end.await(10, TimeUnit.SECONDS))
        assertEquals(listOf(error), recorder.calls)
    }

    @Test
    fun aListenerCannotWaitForItsOwnTraining() {
        lateinit var job: TrainingJob
        val isAssigned = CountDownLatch(1)
        job = TrainingJob(control, null) {
            isAssigned.await()
            job.await()
        }.start()
        isAssigned.countDown()
        val error = assertThrows(TrainingError::class.java) { job.await() }
        assertTrue(error.message.orEmpty(), "cannot wait" in error.message.orEmpty())
    }

    private fun runUntilStopped(): History {
        while (control.await()) Thread.sleep(1)
        return history
    }
}
