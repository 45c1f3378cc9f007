package org.sartor.camera

import android.view.View
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
import org.robolectric.annotation.GraphicsMode
import org.sartor.camera.model.ProjectState
import org.sartor.litert.LoadedModel
import org.sartor.litert.Runtime
import org.sartor.litert.TfliteRuntime
import java.nio.ByteBuffer
import java.util.concurrent.CountDownLatch

/** The start of the app with a model that is not loaded yet. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], qualifiers = "w412dp-h892dp-port-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class StartTest {
    @get:Rule
    val app = AppRule()
    private val runtime = WaitingRuntime()

    @Before
    fun useTheRuntime() {
        CameraApplication.runtime = runtime
    }

    @After
    fun removeTheRuntime() {
        runtime.load()
        CameraApplication.runtime = TfliteRuntime()
    }

    @Test
    fun thePreviewDoesNotWaitForTheModel() {
        app.launch()
        for (number in 0..2) {
            app.source.show(Photos.frame("hat", number))
            assertTrue("the frame is in the preview", app.view(R.id.square).isShown && app.isPainted(app.view(R.id.frame)))
        }
        assertEquals(ProjectState.Opening, app.state.project)
        assertEquals("Opening the model", app.text(R.id.verdict))
        assertFalse(app.view(R.id.reason).isShown)
        app.turn("w892dp-h412dp-land-xhdpi")
        assertTrue("the last frame is in the preview", app.isPainted(app.view(R.id.frame)))

        runtime.load()
        app.waitUntil("the model is open") { app.state.project is ProjectState.Open }
        assertEquals("Hold a button to record a class", app.text(R.id.verdict))
    }

    @Test
    fun aBaseThatIsOpenedLeavesThePreview() {
        runtime.load()
        app.start()
        app.record(0, "hat", 0..0)
        app.look("hat", 1)
        runtime.block()
        FileDialogs(app).open("other.tflite", OtherBase.file.readBytes())
        app.waitUntil("another model is opened") { app.state.project == ProjectState.Opening }
        app.source.show(Photos.frame("hat", 0))
        assertTrue(app.view(R.id.square).isShown)
        assertEquals("Opening the model", app.text(R.id.verdict))
        app.card(0).findViewById<View>(R.id.hold).performClick()
        assertEquals("nothing can be recorded", null, app.state.recording)
    }
}

/** The genuine runtime, which loads no model before a test lets it. */
private class WaitingRuntime : Runtime {
    private val tflite = TfliteRuntime()

    @Volatile
    private var latch = CountDownLatch(1)

    override val name get() = tflite.name

    /** Load the models. */
    fun load() = latch.countDown()

    /** Load no more models. */
    fun block() {
        latch = CountDownLatch(1)
    }

    override fun load(content: ByteBuffer, threads: Int): LoadedModel {
        latch.await()
        return tflite.load(content, threads)
    }
}
