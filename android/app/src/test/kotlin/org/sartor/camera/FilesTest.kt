package org.sartor.camera

import android.content.Intent
import android.net.Uri
import android.view.ViewGroup
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.camera.model.Base
import org.sartor.camera.model.ProjectState
import java.io.ByteArrayInputStream
import java.io.IOException
import java.io.InputStream
import java.io.SequenceInputStream

/** Files that the user saves, shares and opens, on Android 7.0 and on Android 14. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [24, 34], qualifiers = "w412dp-h892dp-port")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class FilesTest {
    @get:Rule
    val app = AppRule()

    private val files = FileDialogs(app)

    @Test
    fun aModelAndAProjectMoveToAnotherDevice() {
        app.start()
        app.record(0, "hat", 0..2)
        app.record(1, "shoes", 0..2)
        app.look("hat", 0)
        val former = app.state.prediction!!
        assertEquals("Class 1", former.best)

        val project = files.save(R.string.save_project, "mine.sartor")
        val model = files.save(R.string.save_model, "mine.tflite")
        files.choose(R.string.new_project)
        files.choose(R.string.new_project_confirm)
        app.waitUntil("no sample is left") { app.state.classes.sumOf { it.samples } == 0 }

        files.open("mine.sartor", project)
        app.waitUntil("the project is open") { app.state.message != null }
        assertEquals(3, app.ofClass("Class 1")?.samples)
        assertEquals(3, app.ofClass("Class 2")?.samples)
        assertEquals(3, app.ofClass("Class 2")?.thumbnails?.size)
        app.look("hat", 0)
        for ((name, probability) in former.probabilities) {
            assertEquals(name, probability, app.state.prediction!!.probabilities.getValue(name), 1e-5f)
        }

        files.open("mine.tflite", model)
        app.waitUntil("the model is open") { app.state.message != null }
        app.look("hat", 0)
        assertEquals(former.probabilities.getValue("Class 1"), app.state.prediction!!.probabilities.getValue("Class 1"), 1e-4f)
        files.open("mine.tflite", model.copyOf(1000)) // damaged, and of the same name
        app.waitUntil("an error") { app.state.message?.isError == true }
        assertEquals("mine", (app.state.project as ProjectState.Open).base)
        app.killAndStart()
        assertEquals("mine", (app.state.project as ProjectState.Open).base)
        files.choose(R.string.starter)
        app.waitUntil("the starter base is open") { (app.state.project as? ProjectState.Open)?.key == Base.STARTER }
        assertEquals(3, app.ofClass("Class 1")?.samples)

        files.open("broken.tflite", model.copyOf(1000))
        app.waitUntil("an error") { app.state.message?.isError == true }
        assertEquals("starter", (app.state.project as ProjectState.Open).base)
    }

    @Test
    fun aFileThatCannotBeReadOrCopiedLeavesNothing() {
        app.start()
        val cache = app.activity.cacheDir
        files.open("broken.sartor", SequenceInputStream(ByteArrayInputStream(ByteArray(1000)), BrokenStream()))
        app.waitUntil("an error") { app.state.message?.isError == true }
        assertEquals("broken.sartor cannot be read.", app.state.message?.text)
        assertEquals(emptyList<String>(), cache.list().orEmpty().filter { it.startsWith("opened") })
        cache.deleteRecursively()
        cache.writeText("nothing can be written into a file that is no folder")
        files.open("mine.sartor", ByteArrayInputStream(ByteArray(1000)))
        app.waitUntil("the page of the storage") { app.text(R.id.reason_title) == "Nothing can be stored" }
        cache.delete()
    }

    @Test
    fun theModelIsSharedWithAnotherApp() {
        app.start()
        app.record(0, "hat", 0..0)
        files.choose(R.string.share_model)
        app.waitUntil("a chooser") { shadowOf(app.activity).peekNextStartedActivity()?.action == Intent.ACTION_CHOOSER }
        val chooser = shadowOf(app.activity).nextStartedActivity

        @Suppress("DEPRECATION") // the other method is API 33
        val send = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!

        @Suppress("DEPRECATION")
        val uri = send.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)!!
        val content = app.activity.contentResolver.openInputStream(uri)!!.use { it.readBytes() }
        assertEquals("TFL3", String(content, 4, 4))
        app.activity.contentResolver.query(uri, null, null, null, null)!!.use {
            assertTrue(it.moveToFirst())
            assertEquals("my-classes.tflite", it.getString(0))
            assertEquals(content.size.toLong(), it.getLong(1))
        }
    }

    @Test
    fun photosArePredictedAndAdded() {
        app.start()
        val photos = listOf("hat" to 1, "hat" to 2).map { (label, number) -> Photos.file(label, number).readBytes() }
        app.press(R.id.more, app.card(0))
        app.press(R.id.add_photos, app.sheet)
        files.answer(photos.mapIndexed { i, photo -> files.uri("hat$i.jpg", ByteArrayInputStream(photo)) })
        app.waitUntil("two samples") { app.ofClass("Class 1")?.samples == 2 }
        app.waitUntil("two thumbnails in the sheet") {
            app.activity.sheet?.findViewById<ViewGroup>(R.id.class_samples)?.childCount == 2
        }
        val sheet = app.sheet
        sheet.findViewById<ViewGroup>(R.id.class_samples).getChildAt(0).performClick()
        app.press(R.id.delete_samples, sheet)
        app.waitUntil("one sample") { app.ofClass("Class 1")?.samples == 1 }
        app.press(R.id.delete_class, sheet)
        app.press(R.id.delete_class, sheet)
        app.waitUntil("three classes") { app.state.classes.size == 3 }
        app.press(R.id.add_class)
        app.waitUntil("four classes") { app.state.classes.size == 4 }
    }
}

/** A file whose storage was removed. */
private class BrokenStream : InputStream() {
    override fun read(): Int = throw IOException("no such device")
}
