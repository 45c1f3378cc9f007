package org.sartor.camera

import android.content.Context
import android.view.View
import android.widget.EditText
import android.widget.TextView
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.Input
import org.sartor.PersonalModel
import org.sartor.StorageError
import org.sartor.camera.model.ProjectState
import org.sartor.camera.model.TrainingState.Phase
import org.sartor.litert.TfliteRuntime
import java.io.ByteArrayOutputStream
import java.io.File
import java.util.concurrent.CompletableFuture

/** The samples move to another base, and stay with their own one too: nothing is lost. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], qualifiers = "w412dp-h892dp-port")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class MovingTest {
    @get:Rule
    val app = AppRule()

    private val files = FileDialogs(app)
    private val runtime = GatedRuntime()
    private val base get() = (app.state.project as? ProjectState.Open)?.base
    private val counts get() = app.state.classes.map { Triple(it.name, it.samples, it.heldOut) }
    private val data get() = RuntimeEnvironment.getApplication().filesDir
    private val preferences get() = RuntimeEnvironment.getApplication().getSharedPreferences("bases", Context.MODE_PRIVATE)

    @Before
    fun start() {
        CameraApplication.runtime = runtime
        app.start()
    }

    @After
    fun removeTheGate() {
        runtime.open()
        CameraApplication.runtime = TfliteRuntime()
    }

    @Test
    fun samplesMoveAndTheMenuLeadsBack() {
        record()
        app.press(R.id.test_samples)
        app.record(1, "shoes", 1..1)
        rename(0, "Hat")
        val before = counts
        open("other.tflite", "other.tflite is open.")
        assertEquals(before, counts)
        assertEquals(listOf(2, 2), app.state.classes.take(2).map { it.thumbnails.size })
        app.look("hat", 0)
        assertEquals("Hat", app.state.prediction?.best)

        choose("Starter base", "Starter base is open with its own classes. Your samples stay with other: choose it in the menu to go back.")
        assertEquals("the first base has kept them", before, counts)
        app.killAndStart()
        choose("other", "other is open with its own classes. Your samples stay with Starter base: choose it in the menu to go back.")
        assertEquals(before, counts)
    }

    @Test
    fun aBaseWithTooFewClassesLeavesTheSamples() {
        app.press(R.id.add_class)
        app.waitUntil("five classes") { app.state.classes.size == 5 }
        for (number in 0..4) app.record(number, "hat", number..number)
        open("other.tflite", "other.tflite has room for 4 classes, and your samples have 5. Your samples stay with Starter base: choose it in the menu to go back.")
        assertEquals(0, counts.sumOf { it.second })
        files.choose("Starter base") // the other one has no samples that could move
        app.waitUntil("the starter base") { app.state.message?.text == "Starter base is open." }
        assertEquals(5, counts.sumOf { it.second })
    }

    @Test
    fun samplesWithoutAPhotoAreCountedBeforeAnythingChanges() {
        files.open("plain.sartor", projectWithoutPhotos())
        app.waitUntil("the project") { app.state.message?.text == "plain.sartor is loaded." }
        app.record(0, "hat", 3..3)
        val before = counts
        files.open("other.tflite", other.readBytes())
        question("2 of 3 samples have no photo, so they cannot move to other.tflite. They stay with Starter base.")
        assertEquals("starter", base)
        app.turn("w892dp-h412dp-land")
        app.press(R.id.keep, app.sheet)
        assertEquals("starter" to before, base to counts)

        files.choose("other")
        question("2 of 3 samples have no photo, so they cannot move to other. They stay with Starter base.")
        val button = app.view(R.id.agree, app.sheet)
        button.performClick()
        button.performClick() // a second press does nothing
        app.waitUntil("the other base") { app.state.message?.text == "other is open." }
        assertEquals(1, counts.sumOf { it.second })
        files.choose("Starter base")
        app.waitUntil("the starter base") { base == "starter" }
        assertEquals(before, counts)
    }

    @Test
    fun aMoveThatEndsWithTheProcessIsDoneAgain() {
        record()
        val before = counts
        val saved = File(data.parentFile, "saved")
        var move: Any? = null
        runtime.onAdd(2) { // as if the process ended after the first sample
            data.copyRecursively(saved)
            move = preferences.all["move"]
        }
        open("other.tflite", "other.tflite is open.")
        app.killAndStart {
            data.deleteRecursively()
            saved.copyRecursively(data)
            preferences.edit().clear().putString("move", move as String).commit()
        }
        assertEquals("starter" to before, base to counts)
        app.session.forget("Class 2", app.session.state.value.classes[1].thumbnails.map { it.id })
        app.waitUntil("the sample is deleted") { app.ofClass("Class 2")?.samples == 0 }
        choose("other", "other is open.")
        assertEquals(counts.toString(), listOf(2, 0), counts.take(2).map { it.second })
        app.killAndStart()
        assertEquals(listOf(2, 0), counts.take(2).map { it.second })
    }

    @Test
    fun aFullStorageChangesNothing() {
        record()
        val before = counts
        runtime.onAdd(2) { throw StorageError("no space is left") }
        files.open("other.tflite", other.readBytes())
        app.waitUntil("an error") { app.state.storageError != null || app.state.message?.isError == true }
        assertEquals("starter" to before, base to counts)
        assertEquals(emptyList<String>(), app.state.bases.map { it.name })
        assertEquals(listOf("starter"), File(data, "samples").list()?.toList())
        assertNull(preferences.getString("move", null))
    }

    @Test
    fun aTrainingEndsWithItsBase() {
        record()
        app.press(R.id.train)
        app.waitUntil("the first step waits") { runtime.steps == 1 }
        files.open("other.tflite", other.readBytes())
        runtime.open()
        app.waitUntil("the other base") { app.state.message?.text == "other.tflite is open." }
        app.look("hat", 0)
        assertEquals(Phase.IDLE, app.state.training.phase)
        assertNull("the result is that of the other base", app.state.training.result)
        choose("Starter base", "Starter base is open with its own classes. Your samples stay with other: choose it in the menu to go back.")
        app.killAndStart()
        app.look("hat", 0)
        assertEquals(Phase.IDLE, app.state.training.phase)
    }

    @Test
    fun samplesOfALostFileAreListedAndDeletedAfterAQuestion() {
        record()
        open("other.tflite", "other.tflite is open.")
        choose("Starter base", "Starter base is open with its own classes. Your samples stay with other: choose it in the menu to go back.")
        val key = app.state.bases.single().key
        val samples = File(data, "samples/$key")
        app.killAndStart { File(data, "bases/$key").deleteRecursively() }
        val lost = app.state.bases.single()
        assertNull(lost.name)
        assertTrue("${lost.bytes}", lost.bytes >= File(samples, "samples").length())

        val row = files.row("Samples without a base")
        assertTrue(row.findViewById<TextView>(R.id.choice_text).text.contains("The file of their base is gone"))
        row.findViewById<View>(R.id.choice_delete).performClick()
        app.press(R.id.sheet_close, app.sheet)
        assertTrue("nothing is deleted before the second tap", samples.exists())
        runtime.beforeLoad = { throw StorageError("no space is left") }
        files.open("other.tflite", other.readBytes())
        app.waitUntil("an error") { app.state.storageError != null || app.state.message?.isError == true }
        assertTrue("an opening that fails leaves them", samples.exists())
        assertEquals("starter", base)
        runtime.beforeLoad = {}
        app.activity.clearStorageError()
        open("other.tflite", "other.tflite is open with its own classes. Your samples stay with Starter base: choose it in the menu to go back.")
        assertEquals("the file brings them back", 2, app.ofClass("Class 1")?.samples)
        choose("Starter base", "Starter base is open with its own classes. Your samples stay with other: choose it in the menu to go back.")

        app.killAndStart { File(data, "bases/$key").deleteRecursively() }
        files.row("Samples without a base").findViewById<View>(R.id.choice_delete).performClick()
        files.choose("Delete these samples for good")
        app.waitUntil("they are deleted") { app.state.bases.isEmpty() }
        assertTrue(!samples.exists())
        assertEquals(2, app.ofClass("Class 1")?.samples)
    }

    private val other: File get() = OtherBase.file

    private fun record() {
        app.record(0, "hat", 0..1)
        app.record(1, "shoes", 0..0)
    }

    private fun open(name: String, message: String) {
        files.open(name, other.readBytes())
        app.waitUntil(message) { app.state.message?.text == message }
    }

    private fun choose(title: String, message: String) {
        files.choose(title)
        app.waitUntil(message) { app.state.message?.text == message }
    }

    private fun question(text: String) {
        app.waitUntil("the question") { app.activity.sheet?.findViewById<View>(R.id.agree)?.isShown == true }
        assertEquals(text, app.text(R.id.question, app.sheet))
    }

    private fun rename(index: Int, name: String) {
        app.press(R.id.more, app.card(index))
        app.sheet.findViewById<EditText>(R.id.class_name).setText(name)
        app.press(R.id.sheet_close, app.sheet)
        app.waitUntil("the class is $name") { app.state.classes[index].name == name }
    }

    /** Return a project of the starter base with two samples, whose photos are not stored. */
    private fun projectWithoutPhotos(): ByteArray {
        val photos = List(2) { Photos.file("hat", it).readBytes() }
        return CompletableFuture.supplyAsync {
            PersonalModel.open(File(System.getProperty("sartor.models"), "starter.tflite")).use { model ->
                photos.forEach { model.addSample(Input.of(it), "Class 1") }
                ByteArrayOutputStream().also(model::exportProject).toByteArray()
            }
        }.get()
    }
}
