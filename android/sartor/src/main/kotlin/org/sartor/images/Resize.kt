/** The resizer of docs/recipe.md: a triangle filter whose support grows with the ratio. */

package org.sartor.images

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor

private const val BITS = 22 // weights are in units of 2⁻²², so that ties are rounded as in Pillow
private const val HALF = 1 shl (BITS - 1)

/** A part of an image, in whole pixels. */
internal data class Box(val left: Int, val top: Int, val width: Int, val height: Int)

/** Return the largest box of the aspect ratio `toWidth : toHeight` in the center. */
internal fun centerBox(width: Int, height: Int, toWidth: Int, toHeight: Int): Box {
    if (width.toLong() * toHeight > height.toLong() * toWidth) {
        val side = idealSide(height, toWidth, toHeight).coerceIn(1, width)
        return Box((width - side) / 2, 0, side, height)
    }
    val side = idealSide(width, toHeight, toWidth).coerceIn(1, height)
    return Box(0, (height - side) / 2, width, side)
}

/** Return `side · numerator / denominator`, rounded to nearest. */
private fun idealSide(side: Int, numerator: Int, denominator: Int): Int =
    ((2L * side * numerator + denominator) / (2L * denominator)).toInt()

/**
 * Resize a part of an image: first its rows, then its columns, with levels rounded after each.
 *
 * @param pixels the image.
 * @param box the part.
 * @param width width of the result, at least 1.
 * @param height height of the result, at least 1.
 */
internal fun resize(pixels: Pixels, box: Box, width: Int, height: Int): Pixels {
    val channels = pixels.channels
    val columns = TriangleFilter(box.width, width)
    val rows = TriangleFilter(box.height, height)
    val narrow = ByteArray(box.height * width * channels)
    for (y in 0 until box.height) {
        val start = ((box.top + y) * pixels.width + box.left) * channels
        if (channels == 3) {
            columns.resizeColors(pixels.data, start, narrow, y * width * channels)
        } else {
            columns.resizeChannels(pixels.data, start, narrow, y * width * channels, channels)
        }
    }
    val data = ByteArray(height * width * channels)
    rows.resizeColumns(narrow, width * channels, data)
    return Pixels(width, height, channels, data)
}

/**
 * The weights of the inputs of each output along one axis.
 *
 * @param from number of inputs.
 * @param to number of outputs.
 */
private class TriangleFilter(from: Int, to: Int) {
    private val ratio = from.toDouble() / to
    private val support = maxOf(1.0, ratio)
    private val taps = ceil(support).toInt() * 2 + 1
    private val starts = IntArray(to)
    private val counts = IntArray(to)
    private val weights = IntArray(to * taps) // in units of 2⁻²²; `taps` places for each output

    init {
        for (i in 0 until to) {
            val center = (i + 0.5) * ratio
            val start = maxOf(0, floor(center - support + 0.5).toInt())
            val end = minOf(from, floor(center + support + 0.5).toInt())
            val values = DoubleArray(end - start) {
                maxOf(0.0, 1 - abs((start + it - center + 0.5) / support))
            }
            val sum = values.sum()
            for (tap in values.indices) {
                weights[i * taps + tap] = floor(values[tap] / sum * (1 shl BITS) + 0.5).toInt()
            }
            starts[i] = start
            counts[i] = values.size
        }
    }

    /** Resize one row of RGB pixels. */
    fun resizeColors(data: ByteArray, start: Int, line: ByteArray, to: Int) {
        for (x in starts.indices) {
            var red = HALF
            var green = HALF
            var blue = HALF
            var at = start + starts[x] * 3
            for (tap in x * taps until x * taps + counts[x]) {
                val weight = weights[tap]
                red += weight * (data[at].toInt() and 255)
                green += weight * (data[at + 1].toInt() and 255)
                blue += weight * (data[at + 2].toInt() and 255)
                at += 3
            }
            val place = to + x * 3
            line[place] = (red shr BITS).toByte()
            line[place + 1] = (green shr BITS).toByte()
            line[place + 2] = (blue shr BITS).toByte()
        }
    }

    /** Resize one row of pixels of any number of channels. */
    fun resizeChannels(data: ByteArray, start: Int, line: ByteArray, to: Int, channels: Int) {
        for (x in starts.indices) {
            for (channel in 0 until channels) {
                var sum = HALF
                var at = start + starts[x] * channels + channel
                for (tap in x * taps until x * taps + counts[x]) {
                    sum += weights[tap] * (data[at].toInt() and 255)
                    at += channels
                }
                line[to + x * channels + channel] = (sum shr BITS).toByte()
            }
        }
    }

    /** Resize the columns of an image whose rows have `stride` values. */
    fun resizeColumns(image: ByteArray, stride: Int, data: ByteArray) {
        val sums = IntArray(stride)
        for (y in starts.indices) {
            sums.fill(HALF)
            for (tap in 0 until counts[y]) {
                val weight = weights[y * taps + tap]
                val start = (starts[y] + tap) * stride
                for (x in 0 until stride) sums[x] += weight * (image[start + x].toInt() and 255)
            }
            for (x in 0 until stride) data[y * stride + x] = (sums[x] shr BITS).toByte()
        }
    }
}
