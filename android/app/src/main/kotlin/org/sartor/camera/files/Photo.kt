package org.sartor.camera.files

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import java.io.ByteArrayInputStream
import java.io.IOException

private const val SIDE = 480 // pixels; the shorter side of the result is at least this long, if the photo's is

/** Degrees clockwise by the orientation in the EXIF data; mirrored photos are rare and stay mirrored. */
private val ROTATIONS = mapOf(
    ExifInterface.ORIENTATION_ROTATE_90 to 90f,
    ExifInterface.ORIENTATION_ROTATE_180 to 180f,
    ExifInterface.ORIENTATION_ROTATE_270 to 270f,
)

/** Return a photo for the screen, upright and not much larger than the preview; null if it is none. */
fun decodePhoto(content: ByteArray): Bitmap? {
    val options = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    BitmapFactory.decodeByteArray(content, 0, content.size, options)
    var sampling = 1
    while (minOf(options.outWidth, options.outHeight) / (2 * sampling) >= SIDE) {
        sampling *= 2
    }
    val reduced = BitmapFactory.Options().apply { inSampleSize = sampling }
    val photo = BitmapFactory.decodeByteArray(content, 0, content.size, reduced) ?: return null
    val degrees = rotationOf(content) ?: return photo
    return Bitmap.createBitmap(photo, 0, 0, photo.width, photo.height, Matrix().apply { setRotate(degrees) }, true)
}

private fun rotationOf(content: ByteArray): Float? = try {
    ROTATIONS[ExifInterface(ByteArrayInputStream(content)).getAttributeInt(ExifInterface.TAG_ORIENTATION, 0)]
} catch (_: IOException) {
    null // a file without EXIF data
}
