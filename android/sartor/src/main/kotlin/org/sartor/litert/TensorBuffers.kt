/** Direct buffers for the inputs and outputs of a signature. */

package org.sartor.litert

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.sartor.DataError
import org.sartor.contract.Signature
import org.sartor.contract.TensorSpec
import org.sartor.contract.TensorSpecs
import org.sartor.data.volume

/** Type in the manifest → its class here, and its size in bytes. */
private val TYPES = mapOf(
    "float32" to (FloatArray::class.java to Float.SIZE_BYTES),
    "int32" to (IntArray::class.java to Int.SIZE_BYTES),
    "uint8" to (ByteArray::class.java to 1),
)

/**
 * Direct buffers of exactly the sizes of a signature, allocated once.
 *
 * LiteRT ends the process at a call after one with inconsistent sizes; so [fill] checks names,
 * types and sizes.
 *
 * @param key name of the signature.
 * @param signature its inputs and outputs.
 */
internal class TensorBuffers(private val key: String, private val signature: Signature) {
    /** Name → buffer of each input. */
    val inputs: Map<String, ByteBuffer> = signature.inputs.mapValues { allocate(it.value) }

    /** Name → buffer of each output. */
    val outputs: Map<String, ByteBuffer> = signature.outputs.mapValues { allocate(it.value) }

    /** Copy tensors into the buffers of the inputs; throws DataError unless all fit. */
    fun fill(tensors: Tensors) {
        checkTensors(key, signature.inputs, tensors)
        for ((name, buffer) in inputs) {
            buffer.rewind()
            when (val tensor = tensors.getValue(name)) {
                is FloatArray -> buffer.asFloatBuffer().put(tensor)
                is IntArray -> buffer.asIntBuffer().put(tensor)
                is ByteArray -> buffer.put(tensor).rewind()
            }
        }
        outputs.values.forEach(ByteBuffer::rewind) // a call leaves them at their end
    }

    /** Return copies of the outputs. */
    fun results(): Map<String, FloatArray> = outputs.mapValues { (_, buffer) ->
        buffer.rewind()
        FloatArray(buffer.remaining() / Float.SIZE_BYTES).also { buffer.asFloatBuffer().get(it) }
    }
}

/** Throw DataError unless tensors have the names, types and sizes of specs. */
internal fun checkTensors(key: String, specs: TensorSpecs, tensors: Tensors) {
    if (tensors.keys != specs.keys) {
        val got = tensors.keys.joinToString().ifEmpty { "nothing" }
        throw DataError("$key takes ${specs.keys.joinToString()}; got $got")
    }
    for ((name, spec) in specs) {
        val tensor = tensors.getValue(name)
        if (!fits(spec, tensor)) {
            val size = volume(spec.shape)
            throw DataError("$key: $name must be $spec, $size values; got ${describe(tensor)}")
        }
    }
}

/** Return whether a tensor has the type and size of a spec. */
internal fun fits(spec: TensorSpec, tensor: Any): Boolean =
    TYPES[spec.dtype]?.first == tensor.javaClass && sizeOf(tensor) == volume(spec.shape)

/** Return type and size of a tensor, for messages. */
internal fun describe(tensor: Any): String =
    "${tensor.javaClass.simpleName}, ${sizeOf(tensor)} values"

private fun sizeOf(tensor: Any): Int = when (tensor) {
    is FloatArray -> tensor.size
    is IntArray -> tensor.size
    is ByteArray -> tensor.size
    else -> -1
}

private fun allocate(spec: TensorSpec): ByteBuffer {
    val (_, size) = TYPES.getValue(spec.dtype)
    return ByteBuffer.allocateDirect(size * volume(spec.shape)).order(ByteOrder.nativeOrder())
}
