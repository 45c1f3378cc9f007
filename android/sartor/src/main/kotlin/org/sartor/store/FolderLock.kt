package org.sartor.store

import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import java.nio.channels.OverlappingFileLockException
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
    private val file: RandomAccessFile

    init {
        if (!folder.isDirectory && !folder.mkdirs()) {
            throw StorageError("$folder cannot be created: choose a folder of the app, and free space")
        }
        try {
            file = RandomAccessFile(File(folder, "lock"), "rw")
        } catch (error: IOException) {
            throw StorageError("$folder cannot be written: ${error.message}", error)
        }
        val isFree = try {
            file.channel.tryLock() != null
        } catch (_: OverlappingFileLockException) { // in this process
            false
        } catch (error: IOException) {
            file.close()
            throw StorageError("$folder cannot be locked: ${error.message}", error)
        }
        if (!isFree) {
            file.close()
            throw StoreError(
                "the model is open already, here or in another process (folder $folder): close it " +
                    "there, and try again",
            )
        }
    }

    /** Release the folder. May be called again. */
    override fun close() {
        file.close()
    }
}
