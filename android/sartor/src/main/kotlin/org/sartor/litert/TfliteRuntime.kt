package org.sartor.litert

import java.nio.ByteBuffer
import org.sartor.contract.TensorSpec
import org.tensorflow.lite.Interpreter
import org.tensorflow.lite.SignatureCalls
import org.tensorflow.lite.Tensor

/** The runtime `org.tensorflow:tensorflow-lite`: LiteRT's Interpreter under its former name. */
public class TfliteRuntime internal constructor(
    private val createCalls: (Interpreter, String) -> SignatureCalls,
) : Runtime {
    /** A runtime that keeps the handles of signatures, so that calls do not leak memory. */
    public constructor() : this(::SignatureCalls)

    override val name: String get() = "LiteRT"

    override fun load(content: ByteBuffer, threads: Int): LoadedModel {
        val options = Interpreter.Options().setNumThreads(threads)
        return TfliteModel(Interpreter(content, options), createCalls)
    }
}

private class TfliteModel(
    private val interpreter: Interpreter,
    private val createCalls: (Interpreter, String) -> SignatureCalls,
) : LoadedModel {
    private val calls = HashMap<String, SignatureCalls?>()

    override val signatures: Set<String> get() = interpreter.signatureKeys.toSet()

    override fun inputs(signature: String): Map<String, TensorSpec> =
        interpreter.getSignatureInputs(signature).associateWith {
            spec(interpreter.getInputTensorFromSignature(it, signature))
        }

    override fun outputs(signature: String): Map<String, TensorSpec> =
        interpreter.getSignatureOutputs(signature).associateWith {
            spec(interpreter.getOutputTensorFromSignature(it, signature))
        }

    override fun run(
        signature: String,
        inputs: Map<String, ByteBuffer>,
        outputs: Map<String, ByteBuffer>,
    ) {
        val call = callOf(signature)
        if (call == null) {
            interpreter.runSignature(inputs, outputs, signature)
        } else {
            call.run(inputs, outputs)
        }
    }

    override fun close() {
        calls.values.forEach { it?.close() }
        interpreter.close()
    }

    /** Return the calls of a signature; null if this version of LiteRT lacks their parts. */
    private fun callOf(signature: String): SignatureCalls? {
        if (signature !in calls) {
            calls[signature] = try {
                createCalls(interpreter, signature)
            } catch (_: LinkageError) {
                null
            }
        }
        return calls[signature]
    }

    private fun spec(tensor: Tensor) =
        TensorSpec(tensor.shape().asList(), tensor.dataType().name.lowercase())
}
