package org.sartor.images

import org.sartor.DataError

/**
 * Pixels: a uint8 level for each channel of each pixel, row by row.
 *
 * @property width Width in pixels, at least 1.
 * @property height Height in pixels, at least 1.
 * @property channels 1 (gray), 3 (RGB) or 4 (RGB and opacity).
 * @property data Levels, `width · height · channels` bytes.
 * @throws DataError if the sizes do not fit.
 */
public class Pixels(
    @JvmField public val width: Int,
    @JvmField public val height: Int,
    @JvmField public val channels: Int,
    @JvmField public val data: ByteArray,
) {
    init {
        if (channels != 1 && channels != 3 && channels != 4) {
            throw DataError("an image has 1, 3 or 4 channels; got $channels")
        }
        checkSize(width, height)
        val size = width.toLong() * height * channels
        if (data.size.toLong() != size) {
            throw DataError(
                "$width x $height pixels of $channels channels are $size bytes; got ${data.size}",
            )
        }
    }

    /** Return one level, 0…255. */
    internal fun level(at: Int): Int = data[at].toInt() and 255

    /** Return the image on white, in RGB or gray. */
    internal fun onWhite(channels: Int): Pixels {
        if (this.channels == channels) return this
        val result = ByteArray(width * height * channels)
        val color = IntArray(3)
        for (pixel in 0 until width * height) {
            readColor(pixel, color)
            val at = pixel * channels
            if (channels == 1) {
                result[at] = luma(color).toByte()
            } else {
                for (channel in 0 until 3) result[at + channel] = color[channel].toByte()
            }
        }
        return Pixels(width, height, channels, result)
    }

    /**
     * Return the image upright.
     *
     * @param orientation orientation of EXIF, 1…8; 1 and others leave the image.
     */
    internal fun upright(orientation: Int): Pixels {
        if (orientation !in 2..8) return this
        val isTurned = orientation >= 5 // rows become columns
        val (toWidth, toHeight) = if (isTurned) height to width else width to height
        val result = ByteArray(data.size)
        for (y in 0 until toHeight) {
            for (x in 0 until toWidth) {
                val (u, v) = if (isTurned) y to x else x to y
                val left = if (orientation in MIRRORED_X) width - 1 - u else u
                val top = if (orientation in MIRRORED_Y) height - 1 - v else v
                val from = (top * width + left) * channels
                System.arraycopy(data, from, result, (y * toWidth + x) * channels, channels)
            }
        }
        return Pixels(toWidth, toHeight, channels, result)
    }

    /** Read the levels of red, green and blue of a pixel on white. */
    private fun readColor(pixel: Int, color: IntArray) {
        val at = pixel * channels
        for (channel in 0 until 3) {
            val level = level(if (channels == 1) at else at + channel)
            color[channel] = if (channels == 4) blend(level, level(at + 3)) else level
        }
    }

    private companion object {
        val MIRRORED_X = setOf(2, 3, 7, 8) // of the columns of the original
        val MIRRORED_Y = setOf(3, 4, 6, 7) // of its rows
    }
}

/** Return the luma of ITU-R BT.601. */
private fun luma(color: IntArray): Int {
    val (red, green, blue) = color
    return red * 19595 + green * 38470 + blue * 7471 + 0x8000 shr 16
}

/** Return a level on white, rounded to nearest. */
private fun blend(level: Int, opacity: Int): Int =
    if (opacity == 255) level else (2 * (level * opacity + 255 * (255 - opacity)) + 255) / 510
