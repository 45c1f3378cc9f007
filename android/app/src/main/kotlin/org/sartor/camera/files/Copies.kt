package org.sartor.camera.files

import android.content.Context
import org.sartor.StorageError
import org.sartor.camera.R
import java.io.File
import java.io.IOException
import java.io.InputStream

private const val PREFIX = "opened"
private const val BUFFER = 1 shl 16 // bytes

/**
 * Copy a file that the user opens into the cache.
 *
 * @throws StorageError if there is no space.
 * @throws IOException if it cannot be read.
 */
fun copyIntoCache(context: Context, content: InputStream): File {
    val file = temporaryFile(context)
    var isComplete = false
    try {
        file.outputStream().use { output ->
            val buffer = ByteArray(BUFFER)
            while (true) {
                val size = content.read(buffer)
                if (size < 0) {
                    break
                }
                writing(context) { output.write(buffer, 0, size) }
            }
        }
        isComplete = true
    } finally {
        if (!isComplete) {
            file.delete()
        }
    }
    return file
}

/**
 * Return a new file in the cache.
 *
 * @throws StorageError if there is no space.
 */
fun temporaryFile(context: Context): File = writing(context) { File.createTempFile(PREFIX, null, context.cacheDir) }

/** Delete the copies of a process that has ended meanwhile. */
fun deleteCopies(context: Context) {
    context.cacheDir.listFiles { file -> file.name.startsWith(PREFIX) }.orEmpty().forEach { it.delete() }
}

private fun <T> writing(context: Context, write: () -> T): T = try {
    write()
} catch (error: IOException) {
    throw StorageError(context.getString(R.string.storage_full), error)
}
