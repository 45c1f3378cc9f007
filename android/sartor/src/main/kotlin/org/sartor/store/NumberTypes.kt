/** The numbers of the features in a store, as bytes. */

package org.sartor.store

import java.nio.ByteBuffer
import org.sartor.contract.Contract
import org.sartor.contract.FeatureSpec

/** Writes a number to bytes, and reads it; both little-endian. */
internal interface NumberType {
    /** Bytes of a number. */
    val size: Int

    /** Write the next number. */
    fun write(to: ByteBuffer, value: Float)

    /** Read the next number. */
    fun read(from: ByteBuffer): Float
}

/** Return the type of the numbers of a features tensor in an encoding. */
internal fun numberType(spec: FeatureSpec, letter: String): NumberType = when (letter) {
    Contract.STORE_INTEGER -> QuantizedType(spec)
    Contract.STORE_FLOAT16 -> Float16
    else -> Float32
}

/** Return whether a features tensor has integers inside the base. */
internal fun isQuantized(spec: FeatureSpec): Boolean = spec.scale != null && spec.dtype in INTEGERS

private object Float16 : NumberType {
    override val size: Int get() = Short.SIZE_BYTES

    override fun write(to: ByteBuffer, value: Float) {
        to.putShort(toHalf(value).toShort())
    }

    override fun read(from: ByteBuffer): Float = fromHalf(from.short.toInt())
}

private object Float32 : NumberType {
    override val size: Int get() = Float.SIZE_BYTES

    override fun write(to: ByteBuffer, value: Float) {
        to.putFloat(value)
    }

    override fun read(from: ByteBuffer): Float = from.float
}

/** The integers of a tensor of a quantized base. */
internal class QuantizedType(spec: FeatureSpec) : NumberType {
    private val integer = INTEGERS.getValue(spec.dtype)
    private val scale = (spec.scale ?: 1.0).toFloat()
    private val zeroPoint = (spec.zeroPoint ?: 0).toLong()

    override val size: Int get() = integer.size

    override fun write(to: ByteBuffer, value: Float) {
        val bits = quantize(value)
        for (byte in 0 until size) to.put((bits shr 8 * byte).toByte())
    }

    override fun read(from: ByteBuffer): Float {
        var bits = 0L
        for (byte in 0 until size) bits = bits or (from.get().toLong() and 255 shl 8 * byte)
        val unused = Long.SIZE_BITS - 8 * size
        return dequantize(if (integer.low < 0) bits shl unused shr unused else bits)
    }

    /** Return whether the integers reproduce every bit of a number. */
    fun isExact(value: Float): Boolean =
        dequantize(quantize(value)).toRawBits() == value.toRawBits()

    private fun quantize(value: Float): Long {
        val number = Math.rint(value.toDouble() / scale) + zeroPoint
        return number.coerceIn(integer.low.toDouble(), integer.high.toDouble()).toLong()
    }

    /** Return the real number of an integer, computed as LiteRT's DEQUANTIZE does. */
    private fun dequantize(value: Long): Float = (value - zeroPoint).toFloat() * scale
}

/** The range of an integer type, and its bytes. */
private class IntegerType(val size: Int, val low: Long, val high: Long)

/** Integer type of a features tensor → its range. */
private val INTEGERS = mapOf(
    "int8" to IntegerType(1, -128, 127),
    "uint8" to IntegerType(1, 0, 255),
    "int16" to IntegerType(2, -32768, 32767),
    "uint16" to IntegerType(2, 0, 65535),
    "int32" to IntegerType(4, Int.MIN_VALUE.toLong(), Int.MAX_VALUE.toLong()),
)
