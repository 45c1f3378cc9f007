/** Frames of a camera (YUV_420_888) as pixels. */

package org.sartor.images

import android.graphics.ImageFormat
import android.media.Image
import java.nio.ByteBuffer
import org.sartor.DataError

/** Clockwise rotation in degrees → orientation of EXIF. */
private val ORIENTATIONS = mapOf(0 to 1, 90 to 6, 180 to 3, 270 to 8)

/**
 * One plane of a frame.
 *
 * @property data bytes; the last row may be shorter than [rowStride].
 * @property rowStride bytes from one row to the next, at least those of a row.
 * @property pixelStride bytes from one value to the next: 1 if planar, 2 if interleaved.
 */
internal class Plane(val data: ByteBuffer, val rowStride: Int, val pixelStride: Int) {
    /** Copy the values of a row; values behind the end of the data repeat the last one. */
    fun readRow(row: Int, values: IntArray, buffer: ByteArray) {
        val start = row.toLong() * rowStride
        val size = minOf((values.size - 1) * pixelStride + 1L, data.limit() - start).toInt()
        if (start < 0 || size < 1) {
            throw DataError(
                "row $row of a plane of the frame, with $rowStride bytes a row, is not in its " +
                    "${data.limit()} bytes: give the frame as the camera returns it",
            )
        }
        val view = data.duplicate()
        view.position(start.toInt())
        view.get(buffer, 0, size)
        for (i in values.indices) {
            values[i] = buffer[minOf(i * pixelStride, size - 1)].toInt() and 255
        }
    }
}

/**
 * Return a frame of a camera as RGB pixels.
 *
 * @param image frame in YUV_420_888, not closed; it is copied.
 * @param rotation clockwise rotation that makes the frame upright: 0, 90, 180 or 270 degrees.
 * @throws DataError if it has another format or rotation.
 */
internal fun decodeFrame(image: Image, rotation: Int): Pixels {
    val format = formatOf(image)
    if (format != ImageFormat.YUV_420_888) {
        throw DataError("a frame must be YUV_420_888 (${ImageFormat.YUV_420_888}); got $format")
    }
    checkSize(image.width, image.height)
    val orientation = ORIENTATIONS[rotation]
        ?: throw DataError("the rotation must be 0, 90, 180 or 270 degrees; got $rotation")
    val (y, u, v) = image.planes.map { Plane(it.buffer, it.rowStride, it.pixelStride) }
    return rgbOf(y, u, v, image.width, image.height).upright(orientation)
}

private fun formatOf(image: Image): Int = try {
    image.format
} catch (error: IllegalStateException) {
    throw DataError("the frame is closed: use it before it is closed", error)
}

/**
 * Convert planes to RGB: ITU-R BT.601 of full range, as JPEG has it.
 *
 * @param y luma, a value for each pixel.
 * @param u blue difference, a value for 2 x 2 pixels.
 * @param v red difference, a value for 2 x 2 pixels.
 * @param width width in pixels.
 * @param height height in pixels.
 */
internal fun rgbOf(y: Plane, u: Plane, v: Plane, width: Int, height: Int): Pixels {
    val buffer = ByteArray(listOf(y, u, v).maxOf { it.pixelStride } * width)
    val luma = IntArray(width)
    val blues = IntArray((width + 1) / 2)
    val reds = IntArray((width + 1) / 2)
    val data = ByteArray(width * height * 3)
    var to = 0
    for (row in 0 until height) {
        y.readRow(row, luma, buffer)
        if (row % 2 == 0) {
            u.readRow(row / 2, blues, buffer)
            v.readRow(row / 2, reds, buffer)
        }
        for (x in 0 until width) {
            val level = luma[x]
            val blue = blues[x shr 1] - 128
            val red = reds[x shr 1] - 128
            data[to] = clamp(level + (91881 * red + 32768 shr 16))
            data[to + 1] = clamp(level - (22554 * blue + 46802 * red + 32768 shr 16))
            data[to + 2] = clamp(level + (116130 * blue + 32768 shr 16))
            to += 3
        }
    }
    return Pixels(width, height, 3, data)
}

private fun clamp(level: Int): Byte =
    (if (level < 0) 0 else if (level > 255) 255 else level).toByte()
