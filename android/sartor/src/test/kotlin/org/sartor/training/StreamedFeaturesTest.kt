package org.sartor.training

import java.io.File
import kotlin.io.path.createTempDirectory
import kotlin.math.sin
import org.junit.AfterClass
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.Depth
import org.sartor.Epoch
import org.sartor.History
import org.sartor.ROOT
import org.sartor.TrainingOptions
import org.sartor.data.Batch
import org.sartor.data.Matrix
import org.sartor.data.trainingDataset
import org.sartor.data.volume
import org.sartor.litert.Engine
import org.sartor.litert.RuntimeEngine
import org.sartor.litert.Tensors
import org.sartor.litert.TfliteRuntime
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.sartor.python
import org.sartor.store.SampleOfStore
import org.sartor.store.SampleStore
import org.sartor.store.StoredFeatures

private const val SAMPLES = 18
private const val EVIDENCE = 120 // steps of the training without a fold, and of that on all samples

/** Tuned layers: features that stay in the store, and layers that lose and are not kept. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
internal class StreamedFeaturesTest {
    private val file = checkModelFile(mapFile(model), "tuned.tflite")
    private val manifest = file.manifest
    private val store = SampleStore(null, "samples", manifest).apply {
        repeat(SAMPLES) { add(sampleOf(it), emptyMap()) }
    }

    @Test
    fun keepsLayersThatGainOnHeldOutSamples() {
        val engine = DamagedEngine(newEngine()) { false }
        val history = train(engine, TrainingOptions(learningRate = 0.002))
        assertEquals(Depth.LAYERS, history.depth)
        assertEquals(2 * EVIDENCE, engine.steps)
    }

    @Test
    fun refusesLayersThatLoseOnHeldOutSamples() {
        val engine = DamagedEngine(newEngine()) { it <= EVIDENCE }
        assertEquals(Depth.HEAD, train(engine, TrainingOptions(learningRate = 0.002)).depth)
        assertEquals(EVIDENCE, engine.steps)
    }

    @Test
    fun refusesLayersThatLoseTrainingSamples() {
        val engine = DamagedEngine(newEngine()) { it > EVIDENCE }
        assertEquals(Depth.HEAD, train(engine, TrainingOptions(learningRate = 0.002)).depth)
        assertEquals(2 * EVIDENCE, engine.steps)
    }

    @Test
    fun numbersTheEpochsOfAllPartsOn() {
        val seen = ArrayList<Epoch>()
        val history = train(newEngine(), TrainingOptions(depth = Depth.LAYERS)) { seen.add(it) }
        assertEquals(Depth.LAYERS, history.depth)
        assertEquals(seen, history.epochs)
        assertEquals((1..seen.size).toList(), seen.map { it.epoch })
        assertEquals(seen.size, seen.last().epochs)
    }

    @Test
    fun stopsInEachPart() {
        for (steps in listOf(10, EVIDENCE + 10)) {
            val engine = DamagedEngine(newEngine()) { false }
            val options = TrainingOptions(learningRate = 0.002)
            val history = train(engine, options) { engine.steps < steps }
            assertEquals(Depth.HEAD to true, history.depth to history.stopped)
            assertTrue(engine.steps < steps + 10)
        }
    }

    @Test
    fun keepsTheHeadIfThereIsNoTimeForTheLayers() {
        val history = train(newEngine(), TrainingOptions(seconds = 1e-9, depth = Depth.LAYERS))
        assertEquals(Depth.HEAD to false, history.depth to history.stopped)
        val message = "there was no time to train the tuned layers."
        assertEquals(1, history.warnings.count { message in it })
    }

    @Test
    fun thePartsShareTheTime() {
        val options = TrainingOptions(seconds = 12.0)
        val regression = manifest.copy(task = "regression")
        assertEquals(3.0, options.secondsOfPart(manifest))
        assertEquals(6.0, options.copy(depth = Depth.HEAD).secondsOfPart(manifest))
        assertEquals(12.0, options.copy(warmStart = true).secondsOfPart(manifest))
        assertEquals(6.0, options.secondsOfPart(regression))
        assertEquals(12.0, options.copy(depth = Depth.HEAD).secondsOfPart(regression))
        assertEquals(null, TrainingOptions().secondsOfPart(manifest))
    }

    @Test
    fun goesOnWithoutSamplesThatAreDeletedMeanwhile() {
        for (count in listOf(4, SAMPLES)) {
            val ids = store.samples().map { it.id }
            var losses = emptyList<Double>()
            val history = train(newEngine(), TrainingOptions(depth = Depth.LAYERS)) { epoch ->
                losses = losses + epoch.loss
                if (epoch.epoch == epoch.epochs - 1 && epoch.epoch > 1) {
                    store.forget(ids.take(count).filter { id -> store.samples().any { it.id == id } })
                }
                true
            }
            assertTrue(history.warnings.toString(), losses.all { it.isFinite() })
            assertEquals((ids.size - count).toLong(), store.size)
            repeat(count) { store.add(sampleOf(it), emptyMap()) }
        }
    }

    @Test
    fun readsTheRowsOfABatch() {
        val samples = store.select()
        val features = samples.features as StoredFeatures
        val expected = features.single()
        store.forget(listOf(3, 4))
        val read = features.take(intArrayOf(7, 2, 0)).read(intArrayOf(2, 1, 0))
        assertArrayEquals(booleanArrayOf(true, false, true), read.isStored)
        assertArrayEquals(expected.row(0), read.features.single().row(0), 0f)
        assertArrayEquals(FloatArray(expected.columns), read.features.single().row(1), 0f)
        assertArrayEquals(expected.row(7), read.features.single().row(2), 0f)
        assertEquals((0 until SAMPLES).toList() - listOf(2, 3), samples.present().toList())
        val dataset = trainingDataset(manifest, samples, mapOf("a" to 0, "b" to 1))
        val weights = Batch(manifest).labelledInputs(dataset, intArrayOf(2, 1))
            .getValue("sample_weights")
        assertEquals(0f, weights[0], 0f)
        assertTrue(weights[1] > 0)
    }

    private fun newEngine() = RuntimeEngine(file, TfliteRuntime())

    private fun sampleOf(number: Int): SampleOfStore {
        val size = manifest.features.sumOf { volume(it.shape) }
        val channels = manifest.features.single().shape.last()
        val values = FloatArray(size) { i ->
            val isHigh = (i % channels < channels / 2) == (number % 2 == 0)
            (if (isHigh) 1f else 0f) + 1.2f * (1 + sin(number * number * 7f + i % channels * 5))
        }
        val source = ByteArray(32) { number.toByte() }
        val label = if (number % 2 == 0) "a" else "b"
        return SampleOfStore(
            listOf(Matrix(values, size)),
            mapOf(label to 1.0),
            source,
            isHeldOut = false,
            images = emptyMap(),
        )
    }

    private fun train(
        engine: Engine,
        options: TrainingOptions,
        onEpoch: EpochCallback = { true },
    ): History {
        val indices = mapOf("a" to 0, "b" to 1)
        val snapshot = ModelSnapshot(indices, engine.variables(), null, emptySet())
        val (samples, heldOut) = listOf(false, true).map { store.select(it) }
        val data = createTrainingData(manifest, options, snapshot, samples, heldOut)
        val publish: Publish = { _, _ -> }
        return TrainingModel(engine, manifest).use {
            val control = Control(options.secondsOfPart(manifest))
            trainModel(it, options, data, control, publish, onEpoch)
        }
    }

    companion object {
        private val folder = createTempDirectory("sartor-streamed").toFile()

        private val model by lazy {
            python(File(ROOT, "tests/exchange/tuned_layers.py"), folder)
            File(folder, "tuned.tflite")
        }

        @JvmStatic
        @AfterClass
        fun deletesTheFiles() {
            folder.deleteRecursively()
        }
    }
}

/**
 * An engine that sets the layers to zeros after some steps of `train`.
 *
 * @param engine the engine.
 * @param isDamaged whether to do so after a step, numbered from 1.
 */
private class DamagedEngine(
    private val engine: Engine,
    private val isDamaged: (Int) -> Boolean,
) : Engine by engine {
    /** Number of steps of `train`, of the layers and the head together. */
    var steps = 0
        private set

    override fun run(key: String, inputs: Tensors): Map<String, FloatArray> {
        val outputs = engine.run(key, inputs)
        if (key == "train") {
            steps += 1
            if (isDamaged(steps)) {
                val variables = engine.variables()
                val layers = variables.filterKeys { it.startsWith("head/layers/") }
                engine.restore(variables + layers.mapValues { FloatArray(it.value.size) })
            }
        }
        return outputs
    }
}
