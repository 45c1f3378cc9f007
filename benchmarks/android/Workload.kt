package org.sartor.benchmarks

import com.sun.management.OperatingSystemMXBean
import java.io.File
import java.lang.management.ManagementFactory
import java.security.MessageDigest
import java.security.Security
import java.util.Random
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.Decay
import org.sartor.Input
import org.sartor.ModelOptions
import org.sartor.PersonalModel
import org.sartor.TrainingOptions
import org.sartor.contract.Manifest
import org.sartor.contract.signatures
import org.sartor.data.Batch
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.volume
import org.sartor.images.Pixels
import org.sartor.litert.RuntimeEngine
import org.sartor.litert.TfliteRuntime
import org.sartor.litert.allocate
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.sartor.training.Control
import org.sartor.training.Schedule
import org.sartor.training.Trainer
import org.tensorflow.lite.Interpreter

private const val WIDTH = 640
private const val HEIGHT = 480
private const val ROWS = 320
private const val CLASSES = 10
private const val FIT_CLASSES = 4
private const val FIT_SAMPLES = 80
private val SYSTEM = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean

/**
 * The work of `benchmarks/android.py`, by the Kotlin library.
 *
 * Each line of the standard input names a task and its number of calls. The answer is the median of
 * their times, and the mean of the CPU times of the process, in seconds.
 */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], manifest = Config.NONE)
internal class Workload {
    private val path = File(System.getProperty("sartor.model")!!)
    private val folder = File(System.getProperty("sartor.folder")!!)
    private val random = Random(0)

    @Test
    fun answer() {
        preferHashesOfTheJdk()
        val tasks = tasks()
        println("\nREADY") // JUnit has printed a dot
        generateSequence(::readLine).forEach { line ->
            val (task, calls) = line.split(" ")
            val start = SYSTEM.processCpuTime
            val times = List(calls.toInt()) { seconds(tasks.getValue(task)) }
            val cpu = (SYSTEM.processCpuTime - start) / 1e9 / times.size
            println("SECONDS ${times.sorted()[times.size / 2]} $cpu")
        }
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

    /** Those of Robolectric take ten times as long; a device has fast ones of its own. */
    private fun preferHashesOfTheJdk() {
        val provider = Security.getProvider("SUN")
        Security.removeProvider(provider.name)
        Security.insertProviderAt(provider, 1)
    }

    private fun open(name: String): PersonalModel =
        PersonalModel.open(path, ModelOptions(folder = File(folder, name), threads = 1))

    private fun seconds(task: () -> Unit): Double {
        val start = System.nanoTime()
        task()
        return (System.nanoTime() - start) / 1e9
    }

    /** Return a task of 100 steps. */
    private fun stepTask(): () -> Unit {
        val file = checkModelFile(mapFile(path), path.path)
        val engine = RuntimeEngine(file, TfliteRuntime())
        val schedule = Schedule(10, ROWS / file.manifest.batchSize, 1e-4, Decay.COSINE)
        val trainer = Trainer(engine, file.manifest, dataset(file.manifest), Control(), 0)
        return { trainer.run(schedule) }
    }

    /** Return a task of 100 calls of `train`, without the library. */
    private fun trainTask(): () -> Unit {
        val file = checkModelFile(mapFile(path), path.path)
        val interpreter = Interpreter(file.content, Interpreter.Options().setNumThreads(1))
        val train = signatures(file.manifest).getValue("train")
        val inputs = train.inputs.mapValues { allocate(volume(it.value.shape)) }
        val outputs = train.outputs.mapValues { allocate(volume(it.value.shape)) }
        val batch = Batch(file.manifest)
        val rows = IntArray(batch.size) { it }
        for ((name, values) in batch.labelledInputs(dataset(file.manifest), rows)) {
            inputs.getValue(name).asFloatBuffer().put(values)
        }
        return {
            repeat(100) {
                (inputs.values + outputs.values).forEach { it.rewind() }
                interpreter.runSignature(inputs, outputs, "train")
            }
        }
    }

    private fun inferTask(): () -> Unit {
        val file = checkModelFile(mapFile(path), path.path)
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

    private fun addPhotos(model: PersonalModel) {
        for (number in 0 until FIT_SAMPLES) {
            model.addSample(Input.of(photo(number)), "class ${number % FIT_CLASSES}")
        }
    }

    private fun dataset(manifest: Manifest): Dataset {
        val size = volume(manifest.features.first().shape)
        val features = FloatArray(ROWS * size) { maxOf(0.0, random.nextGaussian()).toFloat() }
        val targets = Matrix.filled(ROWS, manifest.classes.size)
        for (row in 0 until ROWS) targets[row, row % CLASSES] = 1f
        return Dataset(
            listOf(Matrix(features, size)),
            targets,
            Matrix.filled(ROWS, 1, 1f),
            LongArray(ROWS) { it.toLong() },
            DoubleArray(ROWS) { 1.0 },
        )
    }

    /** Return a photo of a shade of its class, with noise. */
    private fun photo(number: Int): Pixels {
        val noise = Random(number.toLong())
        val data = ByteArray(WIDTH * HEIGHT * 3)
        noise.nextBytes(data)
        val shade = 40 * (number % FIT_CLASSES)
        for (at in data.indices) data[at] = (shade + (data[at].toInt() and 127)).toByte()
        return Pixels(WIDTH, HEIGHT, 3, data)
    }
}
