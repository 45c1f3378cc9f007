package org.sartor.store

import android.system.ErrnoException
import android.system.Os
import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import org.sartor.StoreError

/**
 * The path of an open store, and the file that was there when it was opened.
 *
 * SQLite continues to write into a file that was deleted, moved or replaced: the changes are lost.
 * If the content was overwritten, SQLite mixes the old pages with the new ones. So each transaction
 * compares the file at the path, and whether the content has changed without SQLite.
 *
 * @param file path of the store; SQLite has it open.
 * @param name name of the store, for messages.
 */
internal class Place(private val file: File, private val name: String) : AutoCloseable {
    private val log = File(file.path + "-wal")
    private val identity = identityOf(file)
    private val content = openContent(file)
    private var isOverwritten = false

    /** Throw StoreError if the file was deleted, moved, replaced or overwritten. */
    fun check() {
        val present = identityOf(file)
        if (present != identity) {
            val change = if (present == null) "deleted or moved" else "replaced"
            throw StoreError(
                "$name was $change while it was open: nothing can be stored. Put the file back, " +
                    "or open the model again; exportProject saves the samples that are still in " +
                    "memory",
            )
        }
        if (!isOverwritten && content?.isOverwritten() == true) {
            isOverwritten = true
            // SQLite would copy the pages of the old content from the log into the new content.
            if (log.exists()) RandomAccessFile(log, "rw").use { it.setLength(0) }
        }
        if (isOverwritten) {
            throw StoreError(
                "$name was overwritten by another program while it was open: nothing can be " +
                    "stored, and its samples are those of the new content. Open the model again",
            )
        }
    }

    /** Close the files; SQLite must have closed them before, because this releases its locks. */
    override fun close() {
        content?.close()
    }
}

/** Return device and inode of a file; null if it does not exist. */
private fun identityOf(file: File): Pair<Long, Long>? = try {
    if (file.exists()) Os.stat(file.path).run { st_dev to st_ino } else null
} catch (_: ErrnoException) {
    null
}

/** Return the content of a store; null if it has no log, because the file system allows none. */
private fun openContent(file: File): Content? = try {
    Content(file, File(file.path + "-shm"))
} catch (_: IOException) {
    null
}
