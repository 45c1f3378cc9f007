package org.sartor

import java.io.File
import java.util.Random
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
internal fun python(program: String, vararg arguments: Any): String =
    execute(listOf("python", "-c", program) + arguments)

/** Run a program of Python in a file; see the other function of this name. */
internal fun python(program: File, vararg arguments: Any): String =
    execute(listOf("python", program) + arguments)

/**
 * Run a command, and return what it prints.
 *
 * @param command the program and its arguments.
 * @param folder the current folder of the command. Default: that of the repository.
 * @param variables environment variables: name → value. Default: none.
 * @param libraries path of native libraries. Default: that of the system, not those of Android.
 */
internal fun execute(
    command: List<Any>,
    folder: File = ROOT,
    variables: Map<String, String> = emptyMap(),
    libraries: String? = null,
): String {
    val process = ProcessBuilder(command.map { "$it" }).directory(folder)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
    process.environment().putAll(variables)
    process.environment().remove("LD_LIBRARY_PATH")
    if (libraries != null) process.environment()["LD_LIBRARY_PATH"] = libraries
    val running = process.start()
    val text = running.inputStream.bufferedReader().readText()
    check(running.waitFor() == 0) { "${command.first()} failed: $text" }
    return text.trim()
}

/** Yield copies of a file in each of which one bit is another. */
internal fun withFlippedBit(content: ByteArray, seed: Long): Sequence<ByteArray> {
    val random = Random(seed)
    return generateSequence {
        content.clone().also { copy ->
            val at = random.nextInt(copy.size)
            copy[at] = (copy[at].toInt() xor (1 shl random.nextInt(8))).toByte()
        }
    }
}

/** Return a model in memory of [smallModel] that is trained on three classes. */
internal fun trainedModel(): PersonalModel = PersonalModel.open(smallModel()).also { model ->
    val random = Random(1)
    listOf("röt", "blue", "green").forEachIndexed { index, label ->
        repeat(6) { number ->
            val values = FloatArray(4) { (if (it == index) 2f else 0f) + random.nextFloat() }
            model.addSample(Input.ofValues(values), label, SampleOptions(heldOut = number == 5))
        }
    }
    model.fit(TrainingOptions(epochs = 20)).await()
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
