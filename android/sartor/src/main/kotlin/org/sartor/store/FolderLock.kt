package org.sartor.store

import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import java.util.Collections
import org.sartor.SartorError
import org.sartor.StorageError
import org.sartor.StoreError

/**
 * The lock of a folder of a model: one open model uses it at a time, in one process.
 *
 * The system releases it when the process ends.
 *
 * @param folder the folder, which is created if it does not exist.
 * @throws StoreError if another model or process uses the folder.
 * @throws StorageError if it cannot be created.
 */
internal class FolderLock(folder: File) : AutoCloseable {
    private val path = folder.absoluteFile.canonicalPath
    private val file: RandomAccessFile

    init {
        if (!folder.isDirectory && !folder.mkdirs()) {
            throw StorageError("$folder cannot be created: choose a folder of the app")
        }
        // The system releases all locks of a process on a file when it closes any descriptor of it,
        // so a folder that is open in this process must be refused without opening the file.
        if (!OPEN.add(path)) throw inUse(folder)
        try {
            file = lockedFile(folder)
        } catch (error: SartorError) {
            OPEN.remove(path)
            throw error
        }
    }

    /** Release the folder. May be called again. */
    override fun close() {
        if (!file.channel.isOpen) return
        file.close()
        OPEN.remove(path)
    }

    private companion object {
        /** The folders that are open in this process. */
        val OPEN: MutableSet<String> = Collections.synchronizedSet(HashSet())
    }
}

private fun lockedFile(folder: File): RandomAccessFile {
    var file: RandomAccessFile? = null
    try {
        file = RandomAccessFile(File(folder, "lock"), "rw")
        if (file.channel.tryLock() != null) return file
    } catch (error: IOException) {
        file?.close()
        throw StorageError("$folder cannot be written: ${error.message}", error)
    }
    file.close()
    throw inUse(folder)
}

private fun inUse(folder: File) = StoreError(
    "the model is open already, here or in another process (folder $folder): close it there, and " +
        "try again",
)
