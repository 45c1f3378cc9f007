package org.sartor.training

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test

/** Pauses, stops and time limits of a training. */
internal class ControlTest {
    @Test
    fun continuesUntilItIsStopped() {
        val control = Control()
        assertTrue(control.await())
        control.stop()
        assertTrue(control.isStopped)
        assertFalse(control.await())
    }

    @Test
    fun waitsUntilItIsResumed() {
        val control = Control()
        control.pause()
        assertTrue(control.isPaused)
        val passed = CountDownLatch(1)
        val waiting = thread {
            if (control.await()) passed.countDown()
        }
        while (waiting.state != Thread.State.WAITING) Thread.sleep(1)
        assertEquals(1, passed.count)
        control.resume()
        assertTrue(passed.await(10, TimeUnit.SECONDS))
    }

    @Test
    fun aStopEndsAPause() {
        val control = Control()
        control.pause()
        val waiting = thread { control.await() }
        while (waiting.state != Thread.State.WAITING) Thread.sleep(1)
        control.stop()
        waiting.join(10_000)
        assertFalse(waiting.isAlive)
        control.pause()
        assertFalse("a stopped training does not pause", control.isPaused)
    }

    @Test
    fun endsAtItsTimeLimit() {
        val control = Control(1e-9)
        Thread.sleep(1)
        assertEquals(1.0, control.used, 0.0)
        assertFalse(control.await())
    }

    @Test
    fun furtherWorkIsStoppedTogether() {
        val control = Control()
        val further = control.limited()
        assertTrue(further.await())
        control.stop()
        assertFalse(further.await())
    }

    @Test
    fun theTimeLimitOfFurtherWorkDoesNotChangeTheLearningRate() {
        val further = Control(1e-9).limited()
        Thread.sleep(1)
        assertEquals(0.0, further.used, 0.0)
        assertFalse(further.await())
    }
}
