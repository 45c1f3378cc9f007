package org.sartor

import android.graphics.Bitmap
import android.media.Image
import java.io.File
import java.io.IOException
import org.sartor.images.Pixels
import org.sartor.images.decodeBitmap
import org.sartor.images.decodeFile
import org.sartor.images.decodeFrame

/**
 * An input of a model: an image, or an array of exactly the size of the input.
 *
 * An image is cropped and resized to the input. A file is decoded when it is first needed, and its
 * EXIF orientation counts. An array is fed without preprocessing.
 */
public sealed class Input {
    /** An image. */
    internal abstract class OfImage : Input() {
        /** Upright pixels; decoded at most once. Throws DataError if the image is damaged. */
        abstract val pixels: Pixels
    }

    /** The content of an image file. */
    internal class OfFile(val content: ByteArray) : OfImage() {
        override val pixels: Pixels by lazy { decodeFile(content) }
    }

    /** Pixels, or an image that has no file. */
    internal class OfPixels(decode: () -> Pixels) : OfImage() {
        override val pixels: Pixels by lazy(decode)
    }

    /** A `FloatArray`, an `IntArray`, or a `ByteArray` of uint8. */
    internal class OfValues(val values: Any) : Input()

    /** Values by the names of the inputs of the base. */
    internal class OfNames(val inputs: Map<String, Input>) : Input()

    public companion object {
        /** Return an image: the content of a JPEG, PNG or other file that Android decodes. */
        @JvmStatic
        public fun of(content: ByteArray): Input = OfFile(content)

        /**
         * Return an image file.
         *
         * @throws DataError if it cannot be read.
         */
        @JvmStatic
        public fun of(file: File): Input = try {
            OfFile(file.readBytes())
        } catch (error: IOException) {
            throw DataError("$file cannot be read: ${error.message}", error)
        }

        /** Return a bitmap, which must not change until the input was used. */
        @JvmStatic
        public fun of(bitmap: Bitmap): Input = OfPixels { decodeBitmap(bitmap) }

        /** Return pixels: upright, gray, RGB or RGB with opacity. */
        @JvmStatic
        public fun of(pixels: Pixels): Input = OfPixels { pixels }

        /**
         * Return a frame of a camera. It is copied: the frame may be closed afterwards.
         *
         * @param image frame in YUV_420_888, of any strides.
         * @param rotation clockwise rotation that makes the frame upright: 0, 90, 180 or 270
         *   degrees.
         * @throws DataError if it has another format or rotation.
         */
        @JvmStatic
        public fun of(image: Image, rotation: Int): Input {
            val pixels = decodeFrame(image, rotation)
            return OfPixels { pixels }
        }

        /** Return the values of a float32 input, row by row. */
        @JvmStatic
        public fun ofValues(values: FloatArray): Input = OfValues(values)

        /** Return the values of an int32 input, row by row. */
        @JvmStatic
        public fun ofValues(values: IntArray): Input = OfValues(values)

        /** Return the values of a uint8 input, row by row. */
        @JvmStatic
        public fun ofValues(values: ByteArray): Input = OfValues(values)

        /** Return the inputs of a base with several ones: name → input. */
        @JvmStatic
        public fun ofNames(inputs: Map<String, Input>): Input = OfNames(inputs.toMap())
    }
}
