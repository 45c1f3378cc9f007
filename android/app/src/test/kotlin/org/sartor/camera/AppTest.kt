package org.sartor.camera

import android.view.View
import android.widget.EditText
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.PersonalModel
import org.sartor.camera.model.TrainingState
import java.util.concurrent.atomic.AtomicReference

/** A user with the app: real photos, the buttons, and the genuine TFLite of Android. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], qualifiers = "w412dp-h892dp-port-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class AppTest {
    @get:Rule
    val app = AppRule()

    @Test
    fun learnsFourClassesAndKeepsThem() {
        app.start()
        assertEquals("Hold a button to record a class", app.text(R.id.verdict))
        assertFalse(app.view(R.id.train).isEnabled)
        rename(0, "Hat")
        app.record(0, "hat", listOf(0))
        app.record(1, "shoes", listOf(0))
        app.look("hat", 0)
        assertTrue("a first sample counts at once: ${app.text(R.id.verdict)}", app.text(R.id.verdict).startsWith("Hat"))

        rename(1, "Shoes")
        app.record(0, "hat", 1..7)
        app.record(1, "shoes", 1..7)
        app.record(2, "pants", 0..7)
        app.record(3, "dress", 0..7)
        app.press(R.id.test_samples)
        app.record(0, "hat", 10..11)
        app.record(2, "pants", 10..11)
        assertEquals("8 +2", app.text(R.id.count, app.card(0)))
        assertEquals("8", app.text(R.id.count, app.card(1)))

        train()
        assertTrue(app.state.training.losses.size > 5)
        assertTrue(app.state.training.losses.last() < app.state.training.losses.first())
        assertTrue(app.state.training.result!!.expectedAccuracy!! > 0.6f)
        assertEquals(4, app.state.evaluation!!.samples)
        val right = listOf("hat" to "Hat", "shoes" to "Shoes").sumOf { (label, name) ->
            (0 until 4).count { number ->
                app.look(label, number)
                app.state.prediction?.best == name
            }
        }
        assertTrue("$right of 8 photos are recognized", right >= 6)
        screenshot("app-trained", app.activity.window.decorView)

        val probabilities = app.state.prediction!!.probabilities
        app.turn("w892dp-h412dp-land-xhdpi")
        assertTrue("the preview shows the last frame", app.isPainted(app.view(R.id.frame)))
        assertEquals("8 +2", app.text(R.id.count, app.card(0)))
        assertEquals(4, app.state.evaluation!!.samples)
        app.look("shoes", 3)
        screenshot("app-landscape", app.activity.window.decorView)

        app.killAndStart()
        assertEquals(listOf("Hat", "Shoes", "Class 3", "Class 4"), app.state.classes.map { it.name })
        assertTrue("the switch keeps its place", app.state.isTest)
        assertEquals("8 +2", app.text(R.id.count, app.card(0)))
        assertTrue(app.state.classes.all { it.thumbnails.isNotEmpty() })
        assertNotNull(app.state.training.result)
        app.look("shoes", 3)
        for ((name, probability) in app.state.prediction!!.probabilities) {
            assertEquals(name, probabilities.getValue(name), probability, 1e-5f)
        }
    }

    @Test
    fun aTrainingThatEndsWithTheProcessStartsAgain() {
        app.start()
        app.record(0, "hat", 0..2)
        app.record(1, "shoes", 0..2)
        // What a training has noted when the process ends.
        app.session.withModel { it.setAppData("camera/unfinished-training", "") }
        app.killAndStart()
        app.waitUntil("the training has ended") { app.state.training.result != null }
        app.waitUntil("the button is back") { app.view(R.id.train).isShown }
    }

    @Test
    fun theMainThreadCannotCallTheLibrary() {
        app.start()
        val model = AtomicReference<PersonalModel>()
        app.session.withModel(model::set)
        app.waitUntil("the model") { model.get() != null }
        assertThrows(RuntimeException::class.java) { model.get().classes() }
    }

    private fun rename(index: Int, name: String) {
        app.press(R.id.more, app.card(index))
        val sheet = app.sheet
        sheet.findViewById<EditText>(R.id.class_name).setText(name)
        app.press(R.id.sheet_close, sheet)
        app.waitUntil("the class is $name") { app.state.classes[index].name == name }
    }

    private fun train() {
        app.press(R.id.train)
        app.waitUntil("the training has ended") {
            app.state.training.phase == TrainingState.Phase.IDLE && app.state.training.result != null
        }
    }
}
