package org.sartor.benchmarks

import com.sun.management.OperatingSystemMXBean
import java.io.File
import java.io.IOException
import java.lang.management.ManagementFactory
import java.security.Security
import java.nio.ByteBuffer
import java.util.Random
import java.util.concurrent.atomic.LongAdder
import org.sartor.Decay
import org.sartor.Input
import org.sartor.ModelOptions
import org.sartor.PersonalModel
import org.sartor.contract.Manifest
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.volume
import org.sartor.images.Pixels
import org.sartor.litert.LoadedModel
import org.sartor.litert.Runtime
import org.sartor.litert.RuntimeEngine
import org.sartor.litert.TfliteRuntime
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.sartor.training.Control
import org.sartor.training.Schedule
import org.sartor.training.Trainer

internal const val SAMPLES = 80
internal const val STEPS = 100
private const val WIDTH = 640
private const val HEIGHT = 480
private const val SAMPLE_CLASSES = 4
private val SYSTEM = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean

/** The model file of the benchmark. */
internal val MODEL = File(System.getProperty("sartor.model")!!)

/** A folder of the benchmark. */
internal val FOLDER = File(System.getProperty("sartor.folder")!!)

/**
 * Perform tasks until the standard input ends.
 *
 * Each line names a task and its number of calls: `task=5`. The answer is the medians of their times, and the
 * means of the CPU times, in seconds.
 */
internal fun serve(tasks: Map<String, () -> Unit>) {
    println("\nREADY") // JUnit has printed a dot
    generateSequence(::readLine).forEach { line ->
        val (task, calls) = line.split("=")
        println("SECONDS " + measure(tasks.getValue(task), calls.toInt()).joinToString(" "))
    }
}

/** Return the times of a call, in the order of `Times` in `benchmarks/kotlin.py`. */
private fun measure(task: () -> Unit, calls: Int): List<Double> {
    val seconds = ArrayList<Double>()
    val litert = ArrayList<Double>()
    val cpu = SYSTEM.processCpuTime
    val litertCpu = MeteredRuntime.cpu.sum()
    val (jit, gc) = threadsOfTheJvm()
    repeat(calls) {
        val before = MeteredRuntime.time.sum()
        seconds += timesOf(task).first
        litert += (MeteredRuntime.time.sum() - before) / 1e9
    }
    val (jitAfter, gcAfter) = threadsOfTheJvm()
    val sums = listOf(SYSTEM.processCpuTime - cpu, MeteredRuntime.cpu.sum() - litertCpu, jitAfter - jit, gcAfter - gc)
    val (ofProcess, ofLitert, ofJit, ofGc) = sums.map { it / 1e9 / calls }
    return listOf(median(seconds), ofProcess, median(litert), ofLitert, ofJit, ofGc)
}

private fun median(values: List<Double>) = values.sorted()[values.size / 2]

/** Return the CPU times of the threads of the JVM that compile, and of those that collect garbage, in ns. */
private fun threadsOfTheJvm(): Pair<Long, Long> {
    var jit = 0L
    var gc = 0L
    for (thread in File("/proc/self/task").listFiles().orEmpty()) {
        val (name, time) = try {
            File(thread, "comm").readText() to File(thread, "schedstat").readText().substringBefore(' ').toLong()
        } catch (_: IOException) {
            continue // it has ended
        }
        if (name.startsWith("C1 ") || name.startsWith("C2 ")) jit += time
        if (name.startsWith("GC ") || name.startsWith("G1 ") || name.startsWith("VM ")) gc += time
    }
    return jit to gc
}

/** The genuine runtime; it notes the time in LiteRT. */
internal object MeteredRuntime : Runtime {
    private val tflite = TfliteRuntime()
    private val threads = ManagementFactory.getThreadMXBean()

    /** Time in LiteRT, in ns. */
    val time = LongAdder()

    /** CPU time in LiteRT, in ns. */
    val cpu = LongAdder()

    override val name get() = tflite.name

    override fun load(content: ByteBuffer, threads: Int): LoadedModel =
        Metered(noting { tflite.load(content, threads) })

    private inline fun <T> noting(call: () -> T): T {
        val cpuBefore = threads.currentThreadCpuTime
        val before = System.nanoTime()
        val result = call()
        time.add(System.nanoTime() - before)
        cpu.add(threads.currentThreadCpuTime - cpuBefore)
        return result
    }

    private class Metered(private val model: LoadedModel) : LoadedModel by model {
        override fun run(
            signature: String,
            inputs: Map<String, ByteBuffer>,
            outputs: Map<String, ByteBuffer>,
        ) = noting { model.run(signature, inputs, outputs) }
    }
}

/** Return the time and the CPU time of the process of a call, in seconds. */
internal fun timesOf(task: () -> Unit): Pair<Double, Double> {
    val cpu = SYSTEM.processCpuTime
    val start = System.nanoTime()
    task()
    return (System.nanoTime() - start) / 1e9 to (SYSTEM.processCpuTime - cpu) / 1e9
}

/** Those of Robolectric take ten times as long; a device has fast ones of its own. */
internal fun preferHashesOfTheJdk() {
    val provider = Security.getProvider("SUN")
    Security.removeProvider(provider.name)
    Security.insertProviderAt(provider, 1)
}

/** Open the model with the samples of a folder. */
internal fun open(name: String): PersonalModel =
    PersonalModel.open(MODEL, ModelOptions(File(FOLDER, name), threads = 1, runtime = MeteredRuntime))

/** Add [SAMPLES] photos of four classes. */
internal fun addPhotos(model: PersonalModel) {
    for (number in 0 until SAMPLES) {
        model.addSample(Input.of(photo(number)), "class ${number % SAMPLE_CLASSES}")
    }
}

/** Return a photo of a shade of its class, with noise. */
internal fun photo(number: Int): Pixels {
    val noise = Random(number.toLong())
    val data = ByteArray(WIDTH * HEIGHT * 3)
    noise.nextBytes(data)
    val shade = 40 * (number % SAMPLE_CLASSES)
    for (at in data.indices) data[at] = (shade + (data[at].toInt() and 127)).toByte()
    return Pixels(WIDTH, HEIGHT, 3, data)
}

/** Return features and labels. */
internal fun dataset(manifest: Manifest, rows: Int): Dataset {
    val random = Random(0)
    val size = volume(manifest.features.first().shape)
    val features = FloatArray(rows * size) { maxOf(0.0, random.nextGaussian()).toFloat() }
    val targets = Matrix.filled(rows, manifest.classes.size)
    for (row in 0 until rows) targets[row, row % manifest.classes.size] = 1f
    return Dataset(
        listOf(Matrix(features, size)),
        targets,
        Matrix.filled(rows, 1, 1f),
        LongArray(rows) { it.toLong() },
        DoubleArray(rows) { 1.0 },
    )
}

/** Return a task of [STEPS] steps of the library. */
internal fun stepTask(): () -> Unit {
    val file = checkModelFile(mapFile(MODEL), MODEL.path)
    val engine = RuntimeEngine(file, MeteredRuntime)
    val batches = 10
    val schedule = Schedule(STEPS / batches, batches, 1e-4, Decay.COSINE)
    val samples = dataset(file.manifest, batches * file.manifest.batchSize)
    val trainer = Trainer(engine, file.manifest, samples, Control(), 0)
    return { trainer.run(schedule) }
}
