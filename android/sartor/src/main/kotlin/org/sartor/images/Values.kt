/** Pixels as the values of an input, and back. */

package org.sartor.images

import org.sartor.contract.InputSpec

/** Return pixels as the values of an input: `(pixel − mean) / std` for a float input. */
internal fun normalize(spec: InputSpec, pixels: Pixels): Any {
    if (spec.dtype == "uint8") return pixels.data
    if (spec.dtype == "int32") return IntArray(pixels.data.size, pixels::level)
    val channels = pixels.channels
    val means = FloatArray(channels) { spec.mean[it % spec.mean.size].toFloat() }
    val deviations = FloatArray(channels) { spec.std[it % spec.std.size].toFloat() }
    val values = FloatArray(pixels.data.size)
    for (at in values.indices step channels) {
        for (channel in 0 until channels) {
            val shifted = pixels.level(at + channel) - means[channel]
            values[at + channel] = shifted / deviations[channel]
        }
    }
    return values
}

/** Return the values of an image input as pixels. */
internal fun denormalize(spec: InputSpec, values: Any): Pixels {
    val (_, height, width, channels) = spec.shape
    val data = ByteArray(height * width * channels) { i ->
        val level = when (values) {
            is FloatArray -> {
                val channel = i % channels
                values[i] * spec.std[channel % spec.std.size] + spec.mean[channel % spec.mean.size]
            }
            is IntArray -> values[i].toDouble()
            else -> ((values as ByteArray)[i].toInt() and 255).toDouble()
        }
        Math.rint(level).coerceIn(0.0, 255.0).toInt().toByte()
    }
    return Pixels(width, height, channels, data)
}
