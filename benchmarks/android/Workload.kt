package org.sartor.benchmarks

import java.security.MessageDigest
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.Input
import org.sartor.TrainingOptions
import org.sartor.contract.signatures
import org.sartor.data.Batch
import org.sartor.data.volume
import org.sartor.litert.RuntimeEngine
import org.sartor.litert.TfliteRuntime
import org.sartor.litert.allocate
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.tensorflow.lite.Interpreter

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
            "train" to trainTask(),
            "hash" to { MessageDigest.getInstance("SHA-256").digest(changing.data) },
            "infer" to inferTask(),
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

    /** Return a task of 100 calls of `train`, without the library. */
    private fun trainTask(): () -> Unit {
        val file = checkModelFile(mapFile(MODEL), MODEL.path)
        val interpreter = Interpreter(file.content, Interpreter.Options().setNumThreads(1))
        val train = signatures(file.manifest).getValue("train")
        val inputs = train.inputs.mapValues { allocate(volume(it.value.shape)) }
        val outputs = train.outputs.mapValues { allocate(volume(it.value.shape)) }
        val batch = Batch(file.manifest)
        val rows = IntArray(batch.size) { it }
        for ((name, values) in batch.labelledInputs(dataset(file.manifest, batch.size), rows)) {
            inputs.getValue(name).asFloatBuffer().put(values)
        }
        return {
            repeat(STEPS) {
                (inputs.values + outputs.values).forEach { it.rewind() }
                interpreter.runSignature(inputs, outputs, "train")
            }
        }
    }

    private fun inferTask(): () -> Unit {
        val file = checkModelFile(mapFile(MODEL), MODEL.path)
        val engine = RuntimeEngine(file, TfliteRuntime())
        val inputs = file.manifest.inputs.associate { it.name to ByteArray(volume(it.shape)) }
        return { engine.run("infer", inputs) }
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
