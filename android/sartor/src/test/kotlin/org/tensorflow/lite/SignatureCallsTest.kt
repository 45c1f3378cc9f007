package org.tensorflow.lite

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.junit.Assert.assertEquals
import org.junit.Test

/** Calls of a signature, beside `Interpreter.runSignature`. */
internal class SignatureCallsTest {
    private val content = File(System.getProperty("sartor.root"), "contract/recipe/softmax.tflite")
        .readBytes().let { ByteBuffer.allocateDirect(it.size).order(ByteOrder.nativeOrder()).put(it) }

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
