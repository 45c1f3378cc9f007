package org.sartor.benchmarks

import java.security.MessageDigest
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.Input
import org.sartor.TrainingOptions

private const val CLASSES = 10

/** The work of `benchmarks/android.py`, by the Kotlin library. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], manifest = Config.NONE)
internal class Workload {
    @Test
    fun answer() {
        preferHashesOfTheJdk()
        serve(tasks())
    }

    private fun tasks(): Map<String, () -> Unit> {
        val model = open("samples")
        var number = 0
        val frame = Input.of(photo(0))
        val changing = photo(1) // each sample is another photo
        model.addSample(Input.of(photo(-1)), "class 0")
        return mapOf(
            "step" to stepTask(),
            "hash" to { MessageDigest.getInstance("SHA-256").digest(changing.data) },
            "frame" to { model.predict(frame) },
            "sample" to {
                number += 1
                for (at in 0 until 4) changing.data[at] = (number shr 8 * at).toByte()
                model.addSample(Input.of(changing), "class ${number % CLASSES}")
            },
            "fit" to fitTask(),
            "open" to openTask(frame),
        )
    }

    private fun fitTask(): () -> Unit {
        val model = open("fit").also(::addPhotos)
        return { model.fit(TrainingOptions()).await() }
    }

    /** Return a task that opens a model with samples, and predicts a first frame. */
    private fun openTask(frame: Input): () -> Unit {
        open("open").use { addPhotos(it) }
        return { open("open").use { it.predict(frame) } }
    }
}
