package org.tensorflow.lite

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.sartor.contract.signatures
import org.sartor.data.volume
import org.sartor.execute
import org.sartor.litert.RuntimeEngine
import org.sartor.litert.TfliteRuntime
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.sartor.smallModel

private const val CALLS = 20_000
private const val LEAK = 300 // bytes a call, at least: 850 by the source, up to 2,600 with the shim

/** Calls of a signature, beside `Interpreter.runSignature`. */
internal class SignatureCallsTest {
    private val path = smallModel()
    private val content = path.readBytes().let { ByteBuffer.allocateDirect(it.size).order(ByteOrder.nativeOrder()).put(it) }

    @Test
    fun theOutputsOfEachStepAreThoseOfRunSignature() {
        Interpreter(content).use { reference ->
            Interpreter(content).use { interpreter ->
                SignatureCalls(interpreter, "train").use { calls ->
                    val inputs = inputs(interpreter)
                    for (step in 1..5) {
                        val expected = outputs(interpreter)
                        reference.runSignature(rewound(inputs), rewound(expected), "train")
                        val actual = outputs(interpreter)
                        calls.run(rewound(inputs), rewound(actual))
                        assertEquals("step $step", rewound(expected), rewound(actual))
                    }
                }
            }
        }
    }

    @Test
    fun aVersionOfLiteRTWithoutTheirPartsUsesRunSignature() {
        val file = checkModelFile(mapFile(path), "softmax")
        val train = signatures(file.manifest).getValue("train").inputs.mapValues { (_, spec) ->
            FloatArray(volume(spec.shape)) { it % 7 * 0.1f }
        }
        val runtimes = listOf(
            TfliteRuntime(),
            TfliteRuntime { _, _ -> throw NoSuchMethodError("of another version") },
        )
        val (expected, actual) = runtimes.map { runtime ->
            val engine = RuntimeEngine(file, runtime)
            val losses = List(3) { engine.run("train", train).getValue("loss")[0] }
            losses to engine.variables().mapValues { it.value.toList() }.also { engine.close() }
        }
        assertEquals(expected, actual)
    }

    /** Resident memory is measured in a process of its own, whose heap has one size. */
    @Test
    fun manyCallsKeepTheMemory() {
        val kept = growth("library")
        val leaked = growth("runSignature")
        assertTrue("$leaked bytes are lost by runSignature", leaked > CALLS * LEAK)
        assertTrue("$kept of $leaked bytes", kept < leaked / 4)
    }

    private fun growth(kind: String): Long {
        val program = "org.sartor.litert.TrainCallsKt"
        val libraries = System.getProperty("java.library.path")
        val command = listOf(
            "java", "-Xms100m", "-Xmx100m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC",
            "-Djava.library.path=$libraries", "-cp", System.getProperty("java.class.path"),
            program, path, CALLS, kind,
        )
        return execute(command, libraries = libraries).lines().last().toLong()
    }

    /** Values that differ between rows, and change the weights in each step. */
    private fun inputs(interpreter: Interpreter) =
        interpreter.getSignatureInputs("train").associateWith { name ->
            val size = interpreter.getInputTensorFromSignature(name, "train").numBytes()
            buffer(size).also { for (at in 0 until size / 4) it.putFloat(4 * at, at % 7 * 0.1f) }
        }

    private fun outputs(interpreter: Interpreter) =
        interpreter.getSignatureOutputs("train").associateWith { name ->
            buffer(interpreter.getOutputTensorFromSignature(name, "train").numBytes())
        }

    private fun buffer(size: Int) = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder())

    private fun rewound(buffers: Map<String, ByteBuffer>): Map<String, ByteBuffer> =
        buffers.onEach { it.value.rewind() }
}
