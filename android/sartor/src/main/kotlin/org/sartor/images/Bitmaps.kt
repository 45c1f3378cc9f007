/** Image files and bitmaps of the platform as pixels, and back. */

package org.sartor.images

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.media.ExifInterface
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.nio.ByteBuffer
import org.sartor.DataError

private const val LARGEST = 1L shl 28 // pixels
private const val ROWS = 64 // read at a time: the pixels are in memory twice otherwise

/**
 * Return the pixels of an image file: upright, RGB or RGB with opacity.
 *
 * @throws DataError if it cannot be decoded.
 */
internal fun decodeFile(content: ByteArray): Pixels {
    val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    BitmapFactory.decodeByteArray(content, 0, content.size, size)
    if (size.outWidth <= 0 || size.outHeight <= 0) throw notAnImage()
    checkSize(size.outWidth, size.outHeight)
    val options = BitmapFactory.Options().apply {
        inPreferredConfig = Bitmap.Config.ARGB_8888
        inPremultiplied = false
        inScaled = false
    }
    return withMemory {
        val decoded =
            BitmapFactory.decodeByteArray(content, 0, content.size, options) ?: throw notAnImage()
        val bitmap = withoutProfile(decoded)
        try {
            pixelsOf(bitmap).upright(orientationOf(content))
        } finally {
            bitmap.recycle()
        }
    }
}

/**
 * Return the pixels of a bitmap: RGB, or RGB with opacity.
 *
 * @throws DataError if it is recycled, or too large.
 */
internal fun decodeBitmap(bitmap: Bitmap): Pixels {
    if (bitmap.isRecycled) throw DataError("the bitmap is recycled: give one that is in use")
    checkSize(bitmap.width, bitmap.height)
    return withMemory {
        // the pixels of a hardware bitmap (Android 8) cannot be read
        val isReadable =
            bitmap.config == Bitmap.Config.ARGB_8888 || bitmap.config == Bitmap.Config.RGB_565
        pixelsOf(if (isReadable) bitmap else bitmap.copy(Bitmap.Config.ARGB_8888, false))
    }
}

/** Return a PNG of pixels. */
internal fun encodePng(pixels: Pixels): ByteArray {
    val bitmap = Bitmap.createBitmap(pixels.width, pixels.height, Bitmap.Config.ARGB_8888)
    bitmap.setHasAlpha(pixels.channels == 4)
    bitmap.isPremultiplied = false
    bitmap.setPixels(colorsOf(pixels), 0, pixels.width, 0, 0, pixels.width, pixels.height)
    val output = ByteArrayOutputStream()
    bitmap.compress(Bitmap.CompressFormat.PNG, 100, output)
    bitmap.recycle()
    return output.toByteArray()
}

/** Return pixels as ARGB. */
internal fun colorsOf(pixels: Pixels): IntArray = IntArray(pixels.width * pixels.height) { pixel ->
    val at = pixel * pixels.channels
    val opacity = if (pixels.channels == 4) pixels.level(at + 3) else 255
    val red = pixels.level(at)
    val green = if (pixels.channels == 1) red else pixels.level(at + 1)
    val blue = if (pixels.channels == 1) red else pixels.level(at + 2)
    opacity shl 24 or (red shl 16) or (green shl 8) or blue
}

/**
 * Return a bitmap with the levels that the file stores, and recycle the other one.
 *
 * `getPixels` of a bitmap with a color profile would apply it.
 */
private fun withoutProfile(bitmap: Bitmap): Bitmap {
    if (bitmap.config != Bitmap.Config.ARGB_8888) return bitmap
    val result = Bitmap.createBitmap(bitmap.width, bitmap.height, Bitmap.Config.ARGB_8888)
    result.setHasAlpha(bitmap.hasAlpha())
    result.isPremultiplied = bitmap.isPremultiplied
    val levels = ByteBuffer.allocate(bitmap.byteCount)
    bitmap.copyPixelsToBuffer(levels)
    bitmap.recycle()
    levels.rewind()
    result.copyPixelsFromBuffer(levels)
    return result
}

private fun pixelsOf(bitmap: Bitmap): Pixels {
    val width = bitmap.width
    val height = bitmap.height
    val channels = if (hasTransparency(bitmap)) 4 else 3
    val data = ByteArray(width * height * channels)
    var to = 0
    forRows(bitmap) { colors, count ->
        for (i in 0 until count) {
            val color = colors[i]
            data[to] = (color shr 16).toByte()
            data[to + 1] = (color shr 8).toByte()
            data[to + 2] = color.toByte()
            if (channels == 4) data[to + 3] = (color shr 24).toByte()
            to += channels
        }
    }
    return Pixels(width, height, channels, data)
}

private fun hasTransparency(bitmap: Bitmap): Boolean {
    if (!bitmap.hasAlpha()) return false
    forRows(bitmap) { colors, count ->
        for (i in 0 until count) if (colors[i] ushr 24 != 255) return true
    }
    return false
}

/** Call a function with the pixels of some rows at a time, and their number. */
private inline fun forRows(bitmap: Bitmap, use: (colors: IntArray, count: Int) -> Unit) {
    val width = bitmap.width
    val colors = IntArray(width * minOf(ROWS, bitmap.height))
    for (top in 0 until bitmap.height step ROWS) {
        val rows = minOf(ROWS, bitmap.height - top)
        bitmap.getPixels(colors, 0, width, 0, top, width, rows)
        use(colors, rows * width)
    }
}

private fun orientationOf(content: ByteArray): Int = try {
    ExifInterface(ByteArrayInputStream(content)).getAttributeInt(ExifInterface.TAG_ORIENTATION, 1)
} catch (_: IOException) {
    1 // a file without EXIF
}

/** Throw DataError if an image has no pixels, or too many. */
internal fun checkSize(width: Int, height: Int) {
    if (width < 1 || height < 1) throw DataError("the image has $width x $height pixels")
    if (width.toLong() * height > LARGEST) {
        throw DataError(
            "the image has $width x $height pixels, more than $LARGEST: use a smaller one",
        )
    }
}

private inline fun withMemory(decode: () -> Pixels): Pixels = try {
    decode()
} catch (error: OutOfMemoryError) {
    throw DataError("there is not enough memory for this image: use a smaller one", error)
}

private fun notAnImage() =
    DataError("the file is not an image that Android can decode, or is damaged: use JPEG or PNG")
