/** float16 numbers as 16 bits. */

package org.sartor.store

import kotlin.math.abs

private const val SMALLEST_STEP = 5.9604645e-8f // 2⁻²⁴

/** Return the bits of a number as float16: to nearest, ties to even; infinite if too large. */
internal fun toHalf(value: Float): Int {
    val bits = value.toRawBits()
    val sign = bits ushr 16 and 0x8000
    val size = bits and 0x7fffffff
    if (size > 0x7f800000) return sign or 0x7e00 // NaN
    if (size >= 0x477ff000) return sign or 0x7c00 // 65,520 or more
    if (size < 0x38800000) { // below 2⁻¹⁴, halves are multiples of 2⁻²⁴
        return sign or Math.rint(abs(value) / SMALLEST_STEP.toDouble()).toInt()
    }
    val rest = size and 0x1fff
    val short = (size ushr 13) - (112 shl 10)
    val isAbove = rest > 0x1000 || (rest == 0x1000 && short and 1 == 1)
    return sign or (short + if (isAbove) 1 else 0)
}

/** Return the number of the bits of a float16. */
internal fun fromHalf(bits: Int): Float {
    val sign = bits and 0x8000 shl 16
    val exponent = bits ushr 10 and 31
    val fraction = bits and 1023
    return when (exponent) {
        0 -> Float.fromBits(sign or (fraction * SMALLEST_STEP).toRawBits())
        31 -> Float.fromBits(sign or 0x7f800000 or (fraction shl 13))
        else -> Float.fromBits(sign or (exponent + 112 shl 23) or (fraction shl 13))
    }
}
