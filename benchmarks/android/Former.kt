package org.sartor.benchmarks

import java.io.File
import java.nio.ByteBuffer
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.Input
import org.sartor.contract.Manifest
import org.sartor.data.volume
import org.sartor.litert.allocate
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.tensorflow.lite.Interpreter

/** The way of the 2019 library: the app holds the weights, and passes them to each of five files. */
private class Former(folder: File) {
    private val bottleneck = interpreter(File(folder, "bottleneck.tflite"))
    private val inference = interpreter(File(folder, "inference.tflite"))
    private val trainHead = interpreter(File(folder, "train_head.tflite"))
    private val optimizer = interpreter(File(folder, "optimizer.tflite"))
    private val batchSize = trainHead.getInputTensor(0).shape()[0]
    private val classes = trainHead.getInputTensor(1).shape()[1]
    private val features = trainHead.getInputTensor(0).shape()[1]
    private val image = ByteBuffer.allocateDirect(bottleneck.getInputTensor(0).numBytes())
    private val bottlenecks = allocate(batchSize * features)
    private val labels = allocate(batchSize * classes)
    private val gradients = parameters()
    private var weights = parameters()
    private var nextWeights = parameters()
    private val samples = ArrayList<Pair<ByteBuffer, Int>>()

    init {
        File(folder, "initialize.tflite").let(::interpreter).use { initialize ->
            run(initialize, listOf(allocate(1)), weights)
        }
    }

    /** Keep the bottleneck of an image in memory. */
    fun addSample(pixels: ByteArray, label: Int) {
        add(bottleneckOf(pixels), label)
    }

    /** Keep a bottleneck in memory. */
    fun add(values: ByteBuffer, label: Int) {
        samples.add(values to label)
    }

    /** Train steps on all samples in random order. */
    fun train(steps: Int): Float {
        var loss = 0f
        var step = 0
        while (step < steps) {
            samples.shuffle()
            for (batch in samples.chunked(batchSize)) loss = step(batch)
            step += samples.size / batchSize
        }
        return loss
    }

    /** Return the confidence of each class, the highest first. */
    fun predict(pixels: ByteArray): List<Pair<Int, Float>> {
        val output = allocate(classes)
        run(inference, listOf(bottleneckOf(pixels)) + weights, listOf(output))
        return List(classes) { it to output.getFloat(it * Float.SIZE_BYTES) }
            .sortedByDescending { it.second }
    }

    private fun bottleneckOf(pixels: ByteArray): ByteBuffer {
        image.put(pixels)
        return allocate(features).also { run(bottleneck, listOf(image), listOf(it)) }
    }

    private fun step(batch: List<Pair<ByteBuffer, Int>>): Float {
        for ((values, label) in batch) {
            bottlenecks.put(values)
            values.rewind()
            for (index in 0 until classes) labels.putFloat(if (index == label) 1f else 0f)
        }
        val loss = allocate(1)
        run(trainHead, listOf(bottlenecks, labels) + weights, listOf(loss) + gradients)
        run(optimizer, weights + gradients, nextWeights)
        weights = nextWeights.also { nextWeights = weights }
        return loss.getFloat(0)
    }

    private fun parameters() = listOf(allocate(features * classes), allocate(classes))

    private fun run(model: Interpreter, inputs: List<ByteBuffer>, outputs: List<ByteBuffer>) {
        (inputs + outputs).forEach { it.rewind() }
        val byIndex = outputs.withIndex().associate { (i, output) -> i to output }
        model.runForMultipleInputsOutputs(inputs.toTypedArray(), byIndex)
        (inputs + outputs).forEach { it.rewind() }
    }

    private fun interpreter(file: File) =
        Interpreter(mapFile(file), Interpreter.Options().setNumThreads(1))
}

/** The work of `benchmarks/android_2019.py`. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], manifest = Config.NONE)
internal class FormerWorkload {
    private val manifest = checkModelFile(mapFile(MODEL), MODEL.path).manifest

    @Test
    fun answer() {
        preferHashesOfTheJdk()
        val model = open("samples")
        val pixels = ByteArray(volume(manifest.inputs.first().shape)) { (it % 251).toByte() }
        val input = Input.ofValues(pixels)
        val former = Former(File(FOLDER, "1280"))
        val collector = Former(File(FOLDER, "1280"))
        model.addSample(input, "class 0")
        var number = 0
        var formerNumber = 0
        serve(
            mapOf(
                "step" to stepTask(),
                "former step" to formerSteps(former, 1),
                "former step wide" to formerSteps(Former(File(FOLDER, "62720")), 49),
                "frame" to { model.predict(input) },
                "former frame" to { former.predict(pixels) },
                "sample" to {
                    val changed = Input.ofValues(change(pixels, ++number))
                    model.addSample(changed, "class ${number % 4}")
                },
                "former sample" to {
                    collector.addSample(change(pixels, ++formerNumber), formerNumber % 4)
                },
            ),
        )
    }

    /** Return pixels of another image. */
    private fun change(pixels: ByteArray, number: Int): ByteArray = pixels.copyOf().also {
        for (at in 0 until 4) it[at] = (number shr 8 * at).toByte()
    }

    /** Return a task of [STEPS] steps. */
    private fun formerSteps(former: Former, repetitions: Int): () -> Unit {
        val rows = dataset(manifest, 10 * manifest.batchSize)
        val size = rows.features.first().columns
        for (row in 0 until rows.rows) {
            val values = allocate(repetitions * size)
            val view = values.asFloatBuffer()
            repeat(repetitions) { view.put(rows.features.first().data, row * size, size) }
            former.add(values, row % manifest.classes.size)
        }
        return { check(former.train(STEPS).isFinite()) }
    }
}
