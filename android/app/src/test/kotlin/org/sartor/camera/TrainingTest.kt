package org.sartor.camera

import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.camera.model.TrainingState.Phase
import org.sartor.litert.TfliteRuntime

/** The buttons of a training that waits for the test at each step. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], qualifiers = "w412dp-h892dp-port-xhdpi")
class TrainingTest {
    @get:Rule
    val app = AppRule()
    private val runtime = GatedRuntime()
    private val phase get() = app.state.training.phase

    @Before
    fun useTheGate() {
        CameraApplication.runtime = runtime
        app.start()
        app.record(0, "hat", 0..3)
        app.record(1, "shoes", 0..3)
        app.press(R.id.train)
        app.waitUntil("the first step waits") { runtime.steps == 1 }
        assertTrue(app.view(R.id.stop).isShown)
    }

    @After
    fun removeTheGate() {
        runtime.open()
        CameraApplication.runtime = TfliteRuntime()
    }

    @Test
    fun aPausedTrainingContinuesAndEnds() {
        app.press(R.id.pause)
        app.waitUntil("the training is paused") { phase == Phase.PAUSED }
        runtime.open()
        app.look("hat", 0) // predictions continue
        assertEquals("no step after that of the pause", 1, runtime.steps)
        assertEquals(Phase.PAUSED, phase)
        app.press(R.id.pause)
        app.waitUntil("the training has ended") { phase == Phase.IDLE && app.state.training.result != null }
        assertTrue("${runtime.steps}", runtime.steps > 10)
        assertTrue(app.view(R.id.train).isShown)
    }

    @Test
    fun aStoppedTrainingEndsAfterItsStep() {
        app.press(R.id.stop)
        runtime.open()
        app.waitUntil("the training has ended") { phase == Phase.IDLE }
        assertEquals(1, runtime.steps)
        assertTrue(app.view(R.id.train).isShown)
        app.look("shoes", 0)
        assertEquals("Class 2", app.state.prediction?.best)
        runtime.close()
        app.press(R.id.train)
        app.waitUntil("another training has begun") { runtime.steps == 2 }
        runtime.open()
        app.waitUntil("it has ended") { phase == Phase.IDLE }
        assertFalse(app.state.training.losses.isEmpty())

        runtime.close()
        val before = runtime.steps
        app.press(R.id.train)
        app.waitUntil("it prepares") { phase == Phase.RUNNING }
        app.press(R.id.stop)
        runtime.open()
        app.waitUntil("it has ended") { phase == Phase.IDLE }
        assertTrue("${runtime.steps - before} steps", runtime.steps <= before + 1)
    }

    @Test
    fun aTrainingContinuesWhileTheDeviceTurns() {
        app.turn("w892dp-h412dp-land-xhdpi")
        assertTrue(app.view(R.id.pause).isShown)
        app.press(R.id.pause)
        app.waitUntil("the training is paused") { phase == Phase.PAUSED }
        app.press(R.id.pause)
        runtime.open()
        app.waitUntil("the training has ended") { phase == Phase.IDLE && app.state.training.result != null }
    }
}
