package org.sartor.images

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Color
import android.graphics.ImageFormat
import android.media.Image
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import org.json.JSONArray
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.DataError
import org.sartor.errorOf
import org.sartor.python

/** Image files, bitmaps and camera frames become the same pixels as in Python. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
internal class ImagesTest {
    @Test
    fun filesHaveThePixelsOfPillowInAllOrientations() {
        val program = """
import base64, io, json
import numpy as np
from PIL import Image, ImageCms, ImageOps
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
swapped = profile.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")
pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 4)).astype(np.uint8)
small = np.kron(pixels[:, :, :3], np.ones((8, 8, 1), np.uint8))  # JPEG changes single pixels
cases = [(Image.fromarray(pixels), "png", 1), (Image.fromarray(pixels[:, :, :3]), "png", 1)]
cases += [(Image.fromarray(small), "jpeg", orientation) for orientation in range(1, 9)]
cases += [(Image.fromarray(small[:, :, 0]), "jpeg", 1)]
cases += [(Image.fromarray(small), form, 1) for form in ("png", "jpeg")]  # with a color profile
result = []
for number, (image, form, orientation) in enumerate(cases):
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    image.save(file, form, exif=exif, quality=95, subsampling=0,
               icc_profile=swapped if number >= len(cases) - 2 else None)
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    array = np.asarray(ImageOps.exif_transpose(Image.open(file)).convert(mode))
    content = base64.b64encode(file.getvalue()).decode()
    result.append([content, list(array.shape), array.ravel().tolist()])
print(json.dumps(result))
"""
        val cases = JSONArray(python(program))
        for (i in 0 until cases.length()) {
            val (content, shape, levels) = cases.getJSONArray(i).run {
                Triple(getString(0), getJSONArray(1), getJSONArray(2))
            }
            val file = java.util.Base64.getDecoder().decode(content)
            val pixels = decodeFile(file)
            val size = listOf(pixels.height, pixels.width, pixels.channels)
            assertEquals("case $i", List(3, shape::getInt), size)
            val largest =
                pixels.data.indices.maxOf { Math.abs(pixels.level(it) - levels.getInt(it)) }
            assertTrue("case $i: $largest", largest <= if (i < 2) 0 else 2)
            if (i >= cases.length() - 2) { // otherwise the case tests nothing
                val isSrgb = BitmapFactory.decodeByteArray(file, 0, file.size).colorSpace!!.isSrgb
                assertFalse("case $i has no color profile", isSrgb)
            }
        }
    }

    @Test
    fun bitmapsHaveTheirPixels() {
        val colors = intArrayOf(0xff010203.toInt(), 0xfffafbfc.toInt(), Color.RED, Color.BLACK)
        val bitmap = Bitmap.createBitmap(colors, 2, 2, Bitmap.Config.ARGB_8888)
        val expected = byteArrayOf(1, 2, 3, -6, -5, -4, -1, 0, 0, 0, 0, 0)
        assertArrayEquals(expected, decodeBitmap(bitmap).data)
        val pixels = Pixels(2, 2, 3, expected)
        assertArrayEquals(expected, decodeFile(encodePng(pixels)).data)
        bitmap.recycle()
        errorOf<DataError> { decodeBitmap(bitmap) }
    }

    @Test
    fun damagedFilesAreRefused() {
        val output = ByteArrayOutputStream()
        val bitmap = Bitmap.createBitmap(64, 64, Bitmap.Config.ARGB_8888)
        bitmap.compress(Bitmap.CompressFormat.PNG, 100, output)
        val file = output.toByteArray()
        val text = "text".toByteArray()
        for (content in listOf(ByteArray(0), ByteArray(100), text, file.copyOf(20))) {
            val error = errorOf<DataError> { decodeFile(content) }
            assertTrue(error.message!!, "use JPEG or PNG" in error.message!!)
        }
    }

    @Test
    fun framesOfAnyStridesHaveTheSamePixels() {
        val (width, height) = 9 to 7 // odd: chroma has one more column and row than half
        val frames = listOf(
            Frame(width, height, padding = 0, isInterleaved = false),
            Frame(width, height, padding = 23, isInterleaved = false),
            Frame(width, height, padding = 0, isInterleaved = true),
            Frame(width, height, padding = 55, isInterleaved = true, isVFirst = true),
        )
        val expected = Pixels(width, height, 3, ByteArray(width * height * 3) { at ->
            val (x, y) = at / 3 % width to at / 3 / width
            frames.first().level(x, y, at % 3).toByte()
        })
        for (frame in frames) {
            assertArrayEquals(expected.data, decodeFrame(frame, 0).data)
            assertArrayEquals(expected.upright(6).data, decodeFrame(frame, 90).data)
            assertArrayEquals(expected.upright(3).data, decodeFrame(frame, 180).data)
            assertArrayEquals(expected.upright(8).data, decodeFrame(frame, 270).data)
        }
        errorOf<DataError> { decodeFrame(frames.first(), 45) }
    }

    @Test
    fun framesThatDoNotFitAreRefused() {
        fun plane(bytes: Int, stride: Int) = Plane(ByteBuffer.allocateDirect(bytes), stride, 1)
        val whole = plane(48, 8)
        val wide = plane(8, 1_000_000_000) // one row: its stride does not matter
        assertEquals(8, rgbOf(wide, whole, whole, 8, 1).width)
        for (broken in listOf(plane(48, 1_000_000_000), plane(48, -8), plane(10, 8), plane(0, 8))) {
            val error = errorOf<DataError> { rgbOf(broken, whole, whole, 8, 6) }
            assertTrue(error.message!!, "of a plane of the frame" in error.message!!)
        }
        val closed = Frame(8, 6, padding = 0, isInterleaved = false, isClosed = true)
        errorOf<DataError> { decodeFrame(closed, 0) }
        errorOf<DataError> { Pixels(0, 4, 3, ByteArray(0)) }
        errorOf<DataError> { Pixels(2, 2, 2, ByteArray(8)) }
        errorOf<DataError> { Pixels(1, 1, 3, ByteArray(2)) }
    }

    @Test
    fun aQuarterTurnIsClockwise() {
        val pixels = Pixels(3, 1, 1, byteArrayOf(1, 2, 3))
        val turned = pixels.upright(6)
        assertEquals(1 to 3, turned.width to turned.height)
        assertArrayEquals(byteArrayOf(1, 2, 3), turned.data)
        assertArrayEquals(byteArrayOf(3, 2, 1), pixels.upright(8).data)
    }
}

/** A frame of a camera made of arrays. */
private class Frame(
    private val w: Int,
    private val h: Int,
    padding: Int,
    isInterleaved: Boolean,
    isVFirst: Boolean = false,
    private val isClosed: Boolean = false,
) : Image() {
    private val columns = (w + 1) / 2
    private val rows = (h + 1) / 2
    private val planes: Array<Plane>

    init {
        val luma = plane(w, h, padding, ::luma)
        planes = if (isInterleaved) {
            val row = 2 * columns + padding
            val both = ByteBuffer.allocateDirect(row * (rows - 1) + 2 * columns)
            val (u, v) = if (isVFirst) 1 to 0 else 0 to 1
            for (y in 0 until rows) for (x in 0 until columns) {
                both.put(y * row + 2 * x + u, blue(x, y).toByte())
                both.put(y * row + 2 * x + v, red(x, y).toByte())
            }
            val first = both.duplicate()
            val second = both.duplicate().apply { position(1) }.slice() // one byte shorter
            arrayOf(
                luma,
                FramePlane(if (isVFirst) second else first, row, 2),
                FramePlane(if (isVFirst) first else second, row, 2),
            )
        } else {
            val blues = plane(columns, rows, padding, ::blue)
            arrayOf(luma, blues, plane(columns, rows, padding, ::red))
        }
    }

    fun luma(x: Int, y: Int) = 16 + (x * 23 + y * 41) % 220
    fun blue(x: Int, y: Int) = (x * 61 + y * 17) % 256
    fun red(x: Int, y: Int) = (x * 29 + y * 97 + 40) % 256

    /** Return a level of RGB: BT.601 of full range, in floating point. */
    fun level(x: Int, y: Int, channel: Int): Int {
        val (l, b, r) = Triple(luma(x, y), blue(x / 2, y / 2) - 128, red(x / 2, y / 2) - 128)
        val value = when (channel) {
            0 -> l + 1.402 * r
            1 -> l - 0.344136 * b - 0.714136 * r
            else -> l + 1.772 * b
        }
        return Math.round(value).toInt().coerceIn(0, 255)
    }

    private fun plane(
        columns: Int,
        rows: Int,
        padding: Int,
        value: (Int, Int) -> Int,
    ): FramePlane {
        val row = columns + padding
        val data = ByteBuffer.allocateDirect(row * (rows - 1) + columns) // the last row is shorter
        for (y in 0 until rows) for (x in 0 until columns) {
            data.put(y * row + x, value(x, y).toByte())
        }
        return FramePlane(data, row, 1)
    }

    override fun getFormat() =
        if (isClosed) throw IllegalStateException("Image is already closed") else ImageFormat.YUV_420_888

    override fun getWidth() = w
    override fun getHeight() = h
    override fun getTimestamp() = 0L
    override fun getTransform() = 0
    override fun getScalingMode() = 0
    override fun getPlanes() = planes
    override fun close() {}
}

private class FramePlane(
    private val data: ByteBuffer,
    private val row: Int,
    private val step: Int,
) : Image.Plane() {
    override fun getBuffer() = data
    override fun getRowStride() = row
    override fun getPixelStride() = step
}
