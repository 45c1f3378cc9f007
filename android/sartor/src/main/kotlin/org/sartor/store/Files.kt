/** Files of a model: written completely or not at all, and temporary ones. */

package org.sartor.store

import android.system.ErrnoException
import android.system.Os
import android.system.OsConstants
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.OutputStream
import org.sartor.StorageError

private val TEMPORARY = Regex("^\\..+\\.[0-9a-f]{16}\\.part")
private const val DIGITS = 16

/**
 * Write a file atomically: to a temporary file beside it, which is flushed and replaces the old
 * one.
 *
 * @param file the file.
 * @param write writes the content.
 * @throws StorageError if it cannot be written; an old file stays.
 */
internal fun writeFile(file: File, write: (OutputStream) -> Unit) {
    val temporary = temporaryFile(file)
    try {
        FileOutputStream(temporary).use { stream ->
            stream.buffered().let { output ->
                write(output)
                output.flush()
            }
            stream.fd.sync()
        }
        if (!temporary.renameTo(file)) throw IOException("it cannot replace the old file")
        syncFolder(file.absoluteFile.parentFile)
    } catch (error: IOException) {
        throw notWritten(file, error)
    } finally {
        temporary.delete()
    }
}

/** Return a temporary file beside a file, which does not exist yet. */
internal fun temporaryFile(file: File): File =
    File(file.absoluteFile.parentFile, ".${file.name}.${newKey().take(DIGITS)}.part")

/** Delete what killed processes left in a folder that no other process uses. */
internal fun removeLeftovers(folder: File) {
    folder.listFiles { file -> TEMPORARY.containsMatchIn(file.name) }
        .orEmpty().forEach { it.delete() }
}

/** Return the error of a file that cannot be written. */
internal fun notWritten(file: File, error: IOException): StorageError = StorageError(
    "$file cannot be written: ${error.message}. An old file stays. Check the folder and its free " +
        "space, and try again.",
    error,
)

/** Read what an app gave; throws StorageError if that fails. */
internal inline fun <T> reading(read: () -> T): T = try {
    read()
} catch (error: IOException) {
    throw StorageError("the file cannot be read: ${error.message}", error)
}

/** Write into an output of the app; throws StorageError if that fails. */
internal inline fun writing(write: () -> Unit): Unit = try {
    write()
} catch (error: IOException) {
    val reason = error.message
    throw StorageError("the file cannot be written: $reason. Free space, and try again.", error)
}

/** Flush the entry of a file in its folder, where the system can. */
private fun syncFolder(folder: File) {
    try {
        val descriptor = Os.open(folder.path, OsConstants.O_RDONLY, 0)
        try {
            Os.fsync(descriptor)
        } finally {
            Os.close(descriptor)
        }
    } catch (_: ErrnoException) {
        // some file systems refuse it
    }
}
