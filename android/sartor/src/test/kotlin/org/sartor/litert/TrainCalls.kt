package org.sartor.litert

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.sartor.contract.Contract
import org.sartor.contract.signatures
import org.sartor.data.volume
import org.tensorflow.lite.Interpreter

/**
 * Call `train` many times, and print by how much the resident memory of the process grows, in bytes.
 *
 * Arguments: model file, number of calls, `library` or `runSignature` (LiteRT's own).
 */
internal fun main(arguments: Array<String>) {
    val (path, count, kind) = arguments
    val file = checkModelFile(mapFile(File(path)), path)
    val train = if (kind == "library") libraryStep(file) else runSignatureStep(file)
    repeat(WARM_UP) { train() } // the process has loaded its classes, and compiled its code
    val before = residentBytes()
    repeat(count.toInt()) { train() }
    println(residentBytes() - before)
}

private const val WARM_UP = 10_000

private fun libraryStep(file: ModelFile): () -> Unit {
    val engine = RuntimeEngine(file, TfliteRuntime())
    val inputs = inputsOf(file)
    return { engine.run("train", inputs) }
}

private fun runSignatureStep(file: ModelFile): () -> Unit {
    val interpreter = Interpreter(file.content, Interpreter.Options().setNumThreads(1))
    val inputs = inputsOf(file).mapValues { (_, values) ->
        allocate(values.size).also { it.asFloatBuffer().put(values) }
    }
    val outputs = signatures(file.manifest).getValue("train").outputs.mapValues { (_, spec) ->
        allocate(volume(spec.shape))
    }
    return {
        (inputs.values + outputs.values).forEach { it.rewind() }
        interpreter.runSignature(inputs, outputs, "train")
    }
}

internal fun allocate(size: Int): ByteBuffer =
    ByteBuffer.allocateDirect(size * Float.SIZE_BYTES).order(ByteOrder.nativeOrder())

/** Return inputs of `train` whose weights are 0. */
private fun inputsOf(file: ModelFile): Map<String, FloatArray> =
    signatures(file.manifest).getValue("train").inputs.mapValues { (name, spec) ->
        FloatArray(volume(spec.shape)) { if (name == Contract.FEATURES) it % 7 * 0.1f else 0f }
    }

private fun residentBytes(): Long {
    System.gc()
    val pages = File("/proc/self/statm").readText().split(" ")[1].toLong()
    return pages * PAGE_SIZE
}

private const val PAGE_SIZE = 4096
