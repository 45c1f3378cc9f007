package org.sartor

import java.io.File
import org.junit.Assume.assumeTrue

/** Root folder of the repository. */
internal val ROOT = File(System.getProperty("sartor.root") ?: "../..")

/** A personalizable file of the starter base, for 10 classes. */
internal val STARTER = File(System.getProperty("sartor.models") ?: "build/models", "starter.tflite")

/** Return a small personalizable file of the recipe's vectors, whose input has 12 numbers. */
internal fun smallModel(name: String = "softmax"): File = File(ROOT, "contract/recipe/$name.tflite")

/**
 * Return photos of clothing, in the order of their names; the test is skipped if they are not
 * there.
 *
 * @param label name of the class.
 * @param count number of photos.
 * @param part `train` or `validation`.
 */
internal fun photos(label: String, count: Int, part: String = "train"): List<File> {
    val folder = File(ROOT, "../shared/data/clothing/$part/$label")
    assumeTrue("the photos of ../shared/data are not there", folder.isDirectory)
    return folder.listFiles().orEmpty().sorted().take(count)
}

/** Run a program of Python with this repository's package, and return what it prints. */
internal fun python(program: String, vararg arguments: Any): String {
    val command = listOf("python", "-c", program) + arguments.map { "$it" }
    val process = ProcessBuilder(command).directory(ROOT)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
    process.environment().remove("LD_LIBRARY_PATH") // of Android's libraries
    val running = process.start()
    val text = running.inputStream.bufferedReader().readText()
    check(running.waitFor() == 0) { "Python failed: $text" }
    return text.trim()
}

/** Call a function, and return the error that it throws. */
internal inline fun <reified E : Throwable> errorOf(call: () -> Unit): E {
    try {
        call()
    } catch (error: Throwable) {
        if (error is E) return error
        throw AssertionError("expected ${E::class.java.simpleName}, got $error", error)
    }
    throw AssertionError("expected ${E::class.java.simpleName}, got no error")
}
