package org.sartor.camera

import android.graphics.Bitmap
import android.graphics.BitmapFactory
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
        return Bitmap.createBitmap(photo, x, y, side, side) // Robolectric draws nothing at API 24
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
