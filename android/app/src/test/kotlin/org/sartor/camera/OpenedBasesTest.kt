package org.sartor.camera

import android.view.View
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
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipInputStream
import java.util.zip.ZipOutputStream

/** Projects of another base open with it, and the menu leads back; damaged ones change nothing. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], qualifiers = "w412dp-h892dp-port")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class OpenedBasesTest {
    @get:Rule
    val app = AppRule()

    private val files = FileDialogs(app)
    private val base get() = (app.state.project as? ProjectState.Open)?.base
    private val former = "Your former samples stay with Starter base, in the menu."

    @Before
    fun recordWithTheStarterBase() {
        app.start()
        app.record(0, "hat", 0..1)
        app.record(1, "shoes", 0..0)
    }

    @Test
    fun aProjectOpensWithItsOwnBaseAndTheMenuLeadsBack() {
        val project = smallProject()
        open("small.sartor", project, "small.sartor is loaded, with its own base. $former")
        assertEquals("small", base)
        assertEquals(3, app.ofClass("Class 1")?.samples)
        app.look("hat", 0)
        assertEquals("Class 1", app.state.prediction?.best)
        app.killAndStart()
        assertEquals("small", base)
        assertFalse("the base in use cannot be deleted", deleteButton("small").isShown)
        app.press(R.id.sheet_close, app.sheet)

        choose("Starter base", "starter")
        assertEquals(2, app.ofClass("Class 1")?.samples)
        choose("small", "small")
        assertEquals(3, app.ofClass("Class 1")?.samples)
        choose("Starter base", "starter")
        deleteButton("small").performClick()
        assertEquals(listOf("small"), app.state.bases.map { it.name })
        files.choose("Delete it and its samples")
        app.waitUntil("the base is deleted") { app.state.bases.isEmpty() }
        assertEquals(2, app.ofClass("Class 1")?.samples)
    }

    @Test
    fun aWrongProjectChangesNothing() {
        val project = smallProject()
        val starter = files.save(R.string.save_project, "starter.sartor")
        val wrong = mapOf(
            "the file is not a project" to project.copyOf(project.size / 2),
            "is not a .tflite model" to withPart(project, "model.tflite", ByteArray(1000)),
            "the file is not a project, or" to ByteArray(0),
            "checkpoint" to withPart(project, "checkpoint.safetensors", partsOf(starter).getValue("checkpoint.safetensors")),
            "checkpoint.samples" to withPart(project, "checkpoint.samples", ByteArray(1000)),
        )
        for ((reason, content) in wrong) {
            files.open("wrong.sartor", content)
            app.waitUntil("an error: $reason") { app.state.message?.isError == true }
            assertTrue("$reason: ${app.state.message?.text}", reason in app.state.message!!.text)
            assertEquals("starter", base)
            assertEquals(reason, emptyList<String>(), app.state.bases.map { it.name })
            assertEquals(2, app.ofClass("Class 1")?.samples)
        }
        assertEquals(emptyList<String>(), app.activity.cacheDir.list().orEmpty().filter { it.startsWith("opened") })
        app.look("hat", 0)
        assertEquals("Class 1", app.state.prediction?.best)
    }

    @Test
    fun samplesAreReplacedAfterAQuestion() {
        val project = files.save(R.string.save_project, "former.sartor")
        app.record(1, "shoes", 1..2)
        files.open("former.sartor", project)
        app.waitUntil("the question") { app.activity.sheet?.findViewById<View>(R.id.agree)?.isShown == true }
        app.turn("w892dp-h412dp-land-xhdpi")
        app.press(R.id.keep, app.sheet)
        assertEquals(3, app.ofClass("Class 2")?.samples)
        files.open("former.sartor", project)
        app.waitUntil("the question") { app.activity.sheet?.findViewById<View>(R.id.agree)?.isShown == true }
        app.press(R.id.agree, app.sheet)
        app.waitUntil("the project is open") { app.state.message?.text == "former.sartor is loaded." }
        assertEquals(1, app.ofClass("Class 2")?.samples)

        val small = smallProject()
        open("small.sartor", small, "small.sartor is loaded, with its own base. $former")
        choose("Starter base", "starter")
        files.open("small.sartor", small) // its base has samples
        app.waitUntil("the question") { app.activity.sheet?.findViewById<View>(R.id.agree)?.isShown == true }
        assertEquals("starter", base)
        app.press(R.id.agree, app.sheet)
        app.waitUntil("the project is open") { app.state.message?.text == "small.sartor is loaded, with its own base. $former" }
        assertEquals("small", base)
    }

    /** Return a project of another base, with four samples, that this app has made. */
    private fun smallProject(): ByteArray {
        open("other.tflite", OtherBase.file.readBytes(), "other.tflite is open.")
        app.record(0, "hat", 5..5)
        val project = files.save(R.string.save_project, "small.sartor")
        choose("Starter base", "starter")
        deleteButton("other").performClick()
        files.choose("Delete it and its samples")
        app.waitUntil("the base is deleted") { app.state.bases.isEmpty() }
        return project
    }

    private fun open(name: String, content: ByteArray, message: String) {
        files.open(name, content)
        app.waitUntil(message) { app.state.message?.text == message }
    }

    private fun choose(title: String, name: String) {
        files.choose(title)
        app.waitUntil("$name is open") { base == name }
    }

    private fun deleteButton(name: String): View = files.row(name).findViewById(R.id.choice_delete)

    private fun partsOf(project: ByteArray): Map<String, ByteArray> {
        val input = ZipInputStream(ByteArrayInputStream(project))
        return generateSequence { input.nextEntry }.associate { it.name to input.readBytes() }
    }

    /** Return a project with another content of one of its files. */
    private fun withPart(project: ByteArray, part: String, content: ByteArray): ByteArray {
        val output = ByteArrayOutputStream()
        ZipOutputStream(output).use { zip ->
            for ((name, bytes) in partsOf(project) + (part to content)) {
                val entry = ZipEntry(name)
                entry.method = ZipEntry.STORED
                entry.size = bytes.size.toLong()
                entry.crc = CRC32().apply { update(bytes) }.value
                zip.putNextEntry(entry)
                zip.write(bytes)
            }
        }
        return output.toByteArray()
    }
}
