package org.sartor.saved

import android.util.Log
import java.io.File
import java.nio.ByteBuffer
import java.util.concurrent.ScheduledFuture
import java.util.concurrent.ScheduledThreadPoolExecutor
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import org.sartor.ModelState
import org.sartor.SartorError
import org.sartor.contract.Manifest
import org.sartor.store.writeFile

private const val DELAY = 500L // ms after a change; more changes in this time are saved together
private const val FINGERPRINT = 16 // digits

/**
 * Saves the state of a model in its folder: soon after a change, and on request.
 *
 * @param folder the folder; null saves nothing.
 * @param state state to save.
 * @param lock held while the state is read.
 * @param manifest manifest of the model; each head has a checkpoint of its own.
 */
internal class Saver(
    folder: File?,
    private val state: ModelState,
    private val lock: ReentrantLock,
    manifest: Manifest,
) : AutoCloseable {
    private val file = folder?.let {
        File(it, "checkpoint-${manifest.fingerprints.head.take(FINGERPRINT)}.safetensors")
    }
    private val executor = ScheduledThreadPoolExecutor(1) { work ->
        Thread(work, "sartor-saver").apply { isDaemon = true }
    }
    private var next: ScheduledFuture<*>? = null

    /**
     * Return the saved checkpoint, or null if there is none.
     *
     * @throws org.sartor.CheckpointError if it is damaged.
     */
    fun read(): Checkpoint? = file?.takeIf(File::isFile)?.let {
        readCheckpoint(ByteBuffer.wrap(it.readBytes()), "the saved checkpoint")
    }

    /** Keep a checkpoint that cannot be loaded, when the next one is saved. */
    fun setAside() {
        file?.renameTo(File(file.path + ".not-loaded"))
    }

    /** Save soon. A save that fails is repeated after the next change, and by [save]. */
    fun schedule(): Unit = lock.withLock {
        if (next != null || file == null) return
        next = executor.schedule(
            {
                try {
                    save()
                } catch (error: SartorError) {
                    Log.w("Sartor", error.message, error)
                }
            },
            DELAY, TimeUnit.MILLISECONDS,
        )
    }

    /**
     * Save now.
     *
     * @throws org.sartor.StorageError if the storage is full; the old checkpoint stays.
     */
    fun save(): Unit = lock.withLock {
        next?.cancel(false)
        next = null
        if (file != null) {
            val content = writeCheckpoint(state.checkpoint())
            writeFile(file) { it.write(content) }
        }
    }

    /** Save nothing more. */
    override fun close() {
        executor.shutdownNow()
    }
}
