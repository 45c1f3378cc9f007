package org.sartor.camera

import android.widget.EditText
import android.widget.TextView
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.PersonalModel
import org.sartor.TrainingOptions
import org.sartor.camera.model.TrainingState
import org.sartor.camera.model.readTraining
import org.sartor.camera.model.writeTraining
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.File
import java.util.concurrent.Executors

/** The result of a training belongs to the weights that it gave. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], qualifiers = "w412dp-h892dp-port")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ResultsTest {
    @get:Rule
    val app = AppRule()

    private val files = FileDialogs(app)
    private val isShown get() = app.view(R.id.expected_text).isShown

    @Test
    fun aResultIsShownOnlyWithTheWeightsThatTheTrainingGave() {
        app.start()
        app.record(0, "hat", 0..1)
        app.record(1, "shoes", 0..1)
        app.press(R.id.train)
        app.waitUntil("the training has ended") { app.state.training.result != null }
        assertTrue(app.text(R.id.expected_text).endsWith("Trained on 4 samples."))
        val floor = app.view(R.id.loss_floor) as TextView
        assertTrue(floor.isShown)
        assertEquals("It stays above 0, because the training smooths the labels.", floor.text)

        rename(0, "Hat")
        assertTrue("a name is no weight", isShown)
        val project = files.save(R.string.save_project, "mine.sartor")
        val checkpoint = files.save(R.string.save_checkpoint, "mine.safetensors")
        app.killAndStart()
        assertTrue("the weights are the same after a start", isShown)
        app.record(2, "dress", 0..0) // an imprinted class competes with the others
        app.waitUntil("the result is hidden") { !isShown }
        assertFalse(app.view(R.id.loss_floor).isShown)

        replace("mine.sartor", project)
        assertTrue("the weights are back", isShown)
        replace("trained.sartor", trainAgain(project))
        assertEquals(2, app.ofClass("Hat")?.samples)
        assertFalse("the weights are those of another training", isShown)

        replace("mine.sartor", project)
        assertTrue(isShown)
        files.open("mine.safetensors", checkpoint)
        app.waitUntil("the checkpoint is open") { app.state.message?.text == "mine.safetensors is loaded." }
        assertFalse("a checkpoint has no result", isShown)
    }

    @Test
    fun anyTextOfTheBrowserOrOfSomeoneElseIsRead() {
        app.start()
        val text = """{"losses": [1.5, 0.9], "samples": 8, "warnings": ["a"], "weights": "ab", "head": "h"}"""
        val read = readTraining(text, "h")
        assertEquals(listOf(1.5f, 0.9f), read.losses)
        assertEquals("ab", read.result?.weights)
        assertEquals(read, readTraining(writeTraining(read, "h"), "h"))
        val long = read.copy(losses = List(1000) { it.toFloat() })
        assertEquals(999f, readTraining(writeTraining(long, "h"), "h").losses.last())
        assertTrue(readTraining(writeTraining(long, "h"), "h").losses.size <= 300)
        assertEquals("of another head", TrainingState(), readTraining(text, "other"))
        for ((key, value) in mapOf("losses" to 1, "weights" to 2, "samples" to "x", "warnings" to listOf<Any>(), "head" to 3)) {
            val wrong = JSONObject(text).put(key, if (value is List<*>) JSONObject() else value)
            assertEquals("$wrong", TrainingState(), readTraining("$wrong", "h"))
        }
        for (wrong in listOf(null, "", "[]", "{}", text.dropLast(1), text.replace("0.9", "\"NaN\""))) {
            assertEquals(TrainingState(), readTraining(wrong, "h"))
        }
    }

    private fun rename(index: Int, name: String) {
        app.press(R.id.more, app.card(index))
        app.sheet.findViewById<EditText>(R.id.class_name).setText(name)
        app.press(R.id.sheet_close, app.sheet)
        app.waitUntil("the class is $name") { app.state.classes[index].name == name }
    }

    /** Open a project in the place of the present one. */
    private fun replace(name: String, project: ByteArray) {
        files.open(name, project)
        app.waitUntil("the question") { app.activity.sheet != null }
        app.press(R.id.agree, app.sheet)
        app.waitUntil("$name is open") { app.state.message?.text == "$name is loaded." }
    }

    /** Train a project elsewhere with other options, and return it. */
    private fun trainAgain(project: ByteArray): ByteArray {
        val starter = File(System.getProperty("sartor.models"), "starter.tflite")
        val thread = Executors.newSingleThreadExecutor()
        return thread.submit<ByteArray> {
            PersonalModel.open(starter).use { model ->
                model.importProject(ByteArrayInputStream(project))
                model.fit(TrainingOptions(epochs = 3)).await()
                ByteArrayOutputStream().also(model::exportProject).toByteArray()
            }
        }.get().also { thread.shutdown() }
    }
}
