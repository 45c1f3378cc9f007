package org.sartor

import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.File
import java.util.Random
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import org.junit.Assert.assertEquals
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** Names of any language, and calls from many threads at once. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
internal class HostileTest {
    @get:Rule
    val folder = TemporaryFolder()

    private fun open() = PersonalModel.open(smallModel(), ModelOptions(File(folder.root, "model")))

    private fun values(index: Int, number: Int): Input {
        val random = Random(100L * index + number)
        return Input.ofValues(
            FloatArray(4) { (if (it == index) 2f else 0f) + 0.2f * random.nextFloat() },
        )
    }

    @Test
    fun namesOfAnyLanguageAreKept() {
        val emoji = "\uD83D\uDC69\u200D\uD83D\uDC67"
        val names = listOf(emoji, "مرحبا", "\uFEFFa", "x".repeat(1000))
        open().use { model ->
            names.forEachIndexed { index, name -> model.addSample(values(index, 0), name) }
            for (name in listOf("a\nb", "a\u0000", "\uD800", " ", "", "x".repeat(100_000))) {
                errorOf<DataError> { model.addSample(values(0, 1), name) }
                errorOf<DataError> { model.addClass(name) }
                errorOf<DataError> { model.renameClass(emoji, name) }
            }
            val project = ByteArrayOutputStream().also(model::exportProject).toByteArray()
            assertEquals(emptyList<String>(), model.importProject(ByteArrayInputStream(project)))
        }
        open().use { model ->
            assertEquals(names, model.classes().map { it.name })
            assertEquals(names, model.samples().map { it.targets.keys.single() })
        }
    }

    @Test
    fun anImportThatEndsWithTheProcessCanBeRepeated() {
        // An import writes the checkpoint first, and then all samples in one transaction.
        val other = File(folder.root, "other")
        val project = File(folder.root, "other.sartor")
        PersonalModel.open(smallModel(), ModelOptions(other)).use { model ->
            "wxyz".forEachIndexed { index, name -> model.addSample(values(index, 0), "$name") }
            model.exportProject(project)
        }
        open().use { model ->
            "ab".forEachIndexed { index, name -> model.addSample(values(index, 0), "$name") }
        }
        val checkpoint = other.listFiles()!!.single { it.extension == "safetensors" }
        checkpoint.copyTo(File(folder.root, "model/${checkpoint.name}"), overwrite = true)
        open().use { model ->
            assertEquals(2, model.samples().size)
            assertEquals("x", model.predict(values(1, 5)).best?.label)
            assertEquals(emptyList<String>(), model.importProject(project))
            assertEquals(listOf("w", "x", "y", "z"), model.classes().map { it.name })
            assertEquals(4, model.samples().size)
        }
    }

    @Test
    fun callsFromManyThreadsLeaveAUsableModel() {
        val expected = open().use { model ->
            repeat(12) { model.addSample(values(it % 3, it), "abc"[it % 3].toString()) }
            val calls = callsOf(model)
            val pool = Executors.newFixedThreadPool(THREADS)
            val work = List(THREADS) { Callable { callAtRandom(calls, Random(it.toLong())) } }
            pool.invokeAll(work).forEach { it.get() }
            pool.shutdown()
            model.forget() // waits for the end of a training
            model.addSample(values(1, 1000), "b")
            model.predict(values(1, 2)).ranking.associate { it.label to it.probability }
        }
        open().use { model ->
            assertEquals(emptyList<String>(), model.notes)
            val actual = model.predict(values(1, 2)).ranking.associate { it.label to it.probability }
            assertEquals(expected.keys, actual.keys)
            for ((label, value) in expected) assertEquals(value, actual.getValue(label), 1e-5f)
        }
    }

    private fun callsOf(model: PersonalModel): List<(Random) -> Any?> = listOf(
        { model.predict(values(0, 1)) },
        { model.addSample(values(it.nextInt(3), it.nextInt(900)), "abc"[it.nextInt(3)].toString()) },
        { model.samples().lastOrNull()?.let { sample -> model.forget(sample.id) } },
        { model.fit(TrainingOptions(epochs = 2)).await() },
        { model.fit(TrainingOptions(epochs = 20)) },
        { model.stop() },
        { model.evaluate() },
        { model.bake(ByteArrayOutputStream()) },
        { model.renameClass("a", "d") },
        { model.renameClass("d", "a") },
        { model.removeClass("c") },
        { model.load() },
        {
            val project = ByteArrayOutputStream().also(model::exportProject).toByteArray()
            model.importProject(ByteArrayInputStream(project))
        },
    )

    private fun callAtRandom(calls: List<(Random) -> Any?>, random: Random) = repeat(CALLS) {
        try {
            calls[random.nextInt(calls.size)](random)
        } catch (_: SartorError) {
            // such as a class that another thread has removed
        }
    }

    private companion object {
        const val THREADS = 8
        const val CALLS = 12
    }
}
