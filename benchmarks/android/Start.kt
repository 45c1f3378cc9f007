package org.sartor.benchmarks

import android.database.sqlite.SQLiteDatabase
import java.io.File
import java.lang.management.ManagementFactory
import java.util.Random
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.Input
import org.sartor.PersonalModel
import org.sartor.SampleOptions
import org.sartor.data.volume

private const val ROWS = 1000
private const val CLASSES = 10

/** The first calls in a process, and its memory, for `benchmarks/android_start.py`. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], manifest = Config.NONE)
internal class Start {
    @Test
    fun measure() {
        preferHashesOfTheJdk()
        SQLiteDatabase.create(null).close() // Robolectric unpacks its native libraries
        when (System.getProperty("sartor.task")) {
            "prepare" -> open("start").use(::addPhotos)
            "start" -> start()
            else -> memory()
        }
    }

    /** Print the times of the first calls of the library in this process. */
    private fun start() {
        val frame = Input.of(photo(0))
        lateinit var model: PersonalModel
        print("open", timesOf { model = open("start") })
        print("first", timesOf { model.predict(frame) })
        print("second", timesOf { model.predict(frame) })
        model.close()
    }

    private fun print(name: String, times: Pair<Double, Double>) =
        println("\nRESULT $name ${times.first} ${times.second}")

    /** Print the bytes in use of Java, and the other bytes of the process, after each stage. */
    private fun memory() {
        report("start")
        val model = open("memory")
        report("open")
        model.predict(Input.of(photo(0)))
        report("predict")
        val random = Random(0)
        val size = volume(model.manifest.features.first().shape)
        val photo = Input.of(photo(0))
        for (number in 0 until ROWS) {
            val features = FloatArray(size) { random.nextFloat() }
            val options = SampleOptions(source = "$number", features = listOf(features))
            model.addSample(photo, "class ${number % CLASSES}", options)
        }
        report("hold")
        model.fit().await()
        report("train")
        model.close()
        report("close")
    }

    private fun report(stage: String) {
        repeat(2) { System.gc() }
        val java = ManagementFactory.getMemoryMXBean().heapMemoryUsage.used
        println("\nRESULT $stage $java ${kilobytes("VmRSS") * 1024} ${kilobytes("VmHWM") * 1024}")
    }

    private fun kilobytes(key: String): Long {
        val line = File("/proc/self/status").readLines().first { it.startsWith("$key:") }
        return line.filter(Char::isDigit).toLong()
    }
}
