package org.sartor.camera

import android.app.Application
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.sartor.camera.model.Base
import org.sartor.camera.model.Bases
import java.io.File

/** Files of any name become bases, and none takes the place of another. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = Application::class)
class BasesTest {
    private val context = RuntimeEnvironment.getApplication()
    private val bases = Bases(context)

    @Test
    fun anyNameIsTheNameOfABase() {
        val names = listOf("", ".tflite", "..", "../../x.tflite", "a\nb\u0000.tflite", "x".repeat(100_000), "\uD83D\uDE00".repeat(50_000), "مرحبا.tflite")
        for (name in names) {
            val base = bases.add(name, name.byteInputStream())
            bases.choose(base)
            assertEquals(File(context.filesDir, "bases"), base.file.canonicalFile.parentFile?.parentFile)
            assertEquals(base.file, bases.chosen.file)
            assertEquals(name, bases.chosen.file.readText())
        }
        assertEquals("مرحبا", bases.chosen.name)
    }

    @Test
    fun aFileMadeToHaveTheChecksumOfAnotherLeavesIt() {
        val first = bases.add("mine.tflite", "plumless".byteInputStream())
        bases.add("hostile.tflite", "buckeroo".byteInputStream()) // of the same CRC-32
        assertEquals("plumless", first.file.readText())
        assertEquals(2, bases.opened.size)
    }

    @Test
    fun anotherFileOfTheSameNameLeavesTheFirst() {
        val first = bases.add("mine.tflite", "first".byteInputStream())
        bases.choose(first)
        val second = bases.add("mine.tflite", "second".byteInputStream())
        assertEquals("first", bases.chosen.file.readText())
        assertEquals(listOf("mine", "mine"), listOf(first, second).map { it.name })
        bases.choose(second)
        assertEquals("second", bases.chosen.file.readText())
        assertEquals(setOf(first.key, second.key), bases.opened.map { it.key }.toSet())
        bases.remove(second.key)
        assertEquals(listOf(first.key), bases.opened.map { it.key })
        assertEquals("the starter base takes the place of a deleted one", Base.STARTER, bases.chosen.key)
    }
}
