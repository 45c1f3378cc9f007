package org.sartor.training

import java.io.File
import kotlin.io.path.createTempDirectory
import kotlin.math.sin
import org.json.JSONArray
import org.json.JSONObject
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.DataError
import org.sartor.Depth
import org.sartor.Input
import org.sartor.PersonalModel
import org.sartor.ROOT
import org.sartor.TrainingOptions
import org.sartor.errorOf
import org.sartor.python
import org.sartor.smallModel

private const val TOLERANCE = 1e-5

/** A file with tuned layers: the same trainings as in Python. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
internal class LayerTrainingTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun trainsTheHeadLikePython(): Unit = assertTrainsLikePython(Depth.HEAD)

    @Test
    fun trainsTheLayersLikePython(): Unit = assertTrainsLikePython(Depth.LAYERS)

    @Test
    fun trainsTheLayersIfHeldOutSamplesGain(): Unit = assertTrainsLikePython(Depth.AUTO)

    @Test
    fun imprintsANewClassBehindTheTrainedLayers(): Unit = withSamples(fileOf("tuned.tflite")) {
        fit(TrainingOptions(depth = Depth.LAYERS)).await()
        val added = Input.ofValues(FloatArray(90) { 3 * sin(it.toFloat()) })
        addSample(added, "d")
        val predictions = predict(added)
        assertEquals("d" to true, predictions.best?.label to predictions.inDistribution)
    }

    @Test
    fun loadsACheckpointOfPython(): Unit =
        PersonalModel.open(fileOf("tuned.tflite")).use { model ->
            val notes = model.loadCheckpoint(fileOf("tuned_layers.safetensors"))
            assertEquals(emptyList<String>(), notes)
            assertOutputs(training("layers").getJSONArray("outputs"), model)
        }

    @Test
    fun aFileWithoutTunedLayersRefusesTheDepth(): Unit =
        PersonalModel.open(smallModel()).use { model ->
            model.addSample(Input.ofValues(FloatArray(4)), "a")
            val options = TrainingOptions(depth = Depth.LAYERS)
            val error = errorOf<DataError> { model.fit(options) }
            assertTrue(error.message!!, "has no tuned layers" in error.message!!)
        }

    private fun assertTrainsLikePython(depth: Depth) {
        val expected = training(depth.name.lowercase())
        val checkpoint = File(folder.root, "model.safetensors")
        val model = fileOf("tuned.tflite")
        withSamples(model) {
            // class means are nearly equal, so the temperature is low, and enlarges rounding errors
            assertOutputs(expected.getJSONArray("imprinted"), this, 1e-4)
            val history = fit(TrainingOptions(depth = depth)).await()
            assertEquals(expected.getString("depth"), history.depth.name.lowercase())
            assertEquals(expected.getInt("steps"), history.steps)
            assertEquals(expected.getDouble("accuracy"), history.expectedAccuracy!!, 1e-9)
            assertOutputs(expected.getJSONArray("outputs"), this)
            val inDistribution = JSONArray(probes.map { predict(it).inDistribution })
            assertEquals("${expected.getJSONArray("in_distribution")}", "$inDistribution")
            saveCheckpoint(checkpoint)
        }
        PersonalModel.open(model).use {
            it.loadCheckpoint(checkpoint)
            assertOutputs(expected.getJSONArray("outputs"), it)
        }
    }

    /** Open a model, add all samples but the last one of each class, and call a function. */
    private fun withSamples(file: File, action: PersonalModel.() -> Unit): Unit =
        PersonalModel.open(file).use { model ->
            for (name in samples.keys()) {
                val rows = samples.getJSONArray(name)
                for (i in 0 until rows.length() - 1) {
                    model.addSample(inputOf(rows.getJSONArray(i)), name)
                }
            }
            model.action()
        }

    private fun inputOf(values: JSONArray): Input =
        Input.ofValues(FloatArray(values.length()) { values.getDouble(it).toFloat() })

    /** Compare the outputs for the probes. */
    private fun assertOutputs(
        expected: JSONArray,
        model: PersonalModel,
        tolerance: Double = TOLERANCE,
    ) {
        probes.forEachIndexed { index, probe ->
            val outputs = expected.getJSONObject(index)
            for ((label, value) in model.predictValues(probe)) {
                assertEquals(outputs.getDouble(label), value.toDouble(), tolerance)
            }
        }
    }

    private fun training(depth: String): JSONObject =
        reference.getJSONObject("trainings").getJSONObject(depth)

    private val probes: List<Input>
        get() = reference.getJSONArray("probes").run {
            List(length()) { inputOf(getJSONArray(it)) }
        }

    private val samples: JSONObject get() = reference.getJSONObject("samples")

    companion object {
        private val files = createTempDirectory("sartor-layers").toFile()

        private val reference by lazy {
            JSONObject(python(File(ROOT, "tests/exchange/tuned_layers.py"), files))
        }

        /** Return a file that Python has written. */
        private fun fileOf(name: String) = File(files, name).also { reference }

        @JvmStatic
        @AfterClass
        fun deletesTheFiles() {
            files.deleteRecursively()
        }
    }
}
