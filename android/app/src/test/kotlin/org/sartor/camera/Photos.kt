package org.sartor.camera

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Rect
import android.graphics.Canvas
import android.graphics.Paint
import org.junit.Assume.assumeTrue
import java.io.File

/** Photos of clothes, which are not part of the repository. */
object Photos {
    private val folder = File(System.getProperty("sartor.root"), "../shared/data/clothing")

    /** Return a photo as a square frame; `part` is `train` or `validation`. */
    fun frame(label: String, number: Int, part: String = "train"): Bitmap {
        val photo = BitmapFactory.decodeFile(file(label, number, part).path)
        val side = minOf(photo.width, photo.height)
        val x = (photo.width - side) / 2
        val y = (photo.height - side) / 2
        val frame = Bitmap.createBitmap(480, 480, Bitmap.Config.ARGB_8888)
        Canvas(frame).drawBitmap(photo, Rect(x, y, x + side, y + side), Rect(0, 0, 480, 480), Paint(Paint.FILTER_BITMAP_FLAG))
        return frame
    }

    /** Return the file of a photo. */
    fun file(label: String, number: Int, part: String = "train"): File {
        assumeTrue("$folder is missing", folder.isDirectory)
        val files = File(folder, "$part/$label").listFiles().orEmpty().sorted()
        return files[number % files.size]
    }

    /** Return a photo as a thumbnail. */
    fun thumbnail(label: String, number: Int): Bitmap = Bitmap.createScaledBitmap(frame(label, number), 48, 48, true)
}
