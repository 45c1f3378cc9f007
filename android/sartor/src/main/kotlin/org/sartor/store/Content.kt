package org.sartor.store

import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32

private const val SALTS = 32L // position in the -shm file: 8 bytes
private const val WRITTEN = 96L // frames of the log that checkpoints have copied into the file
private const val STARTED = 128L // frames that a checkpoint copies, or has copied
private const val BLOCKS = 64 // in a fingerprint
private const val BLOCK = 4096 // bytes

/**
 * The content of an open store.
 *
 * SQLite writes into the file only at a checkpoint, and first counts it in the index of the log,
 * the `-shm` file (https://www.sqlite.org/walformat.html, section 2). So if the content has changed
 * and the counters have not, another program has written. A check takes a few microseconds.
 *
 * The files stay open: a process that closes any descriptor of a file gives up all its locks on the
 * file, those of SQLite too (https://www.sqlite.org/howtocorrupt.html, section 2.2).
 *
 * @param path path of the store.
 * @param index path of the index of its log.
 * @throws java.io.IOException if there is no log.
 */
internal class Content(private val path: File, index: File) : AutoCloseable {
    private val index = RandomAccessFile(index, "r")
    private val file = RandomAccessFile(path, "r")
    private var state = read()
    private var fingerprint = fingerprint()

    /** Size and time of the file, and the counters at that time. */
    private data class State(
        val length: Long,
        val time: Long,
        val salts: Long,
        val written: Long,
        val started: Long,
    ) {
        fun hasFileOf(other: State) = length == other.length && time == other.time

        fun hasCountersOf(other: State) =
            salts == other.salts && written == other.written && started == other.started
    }

    /** Return whether another program has changed the content since the last call. */
    fun isOverwritten(): Boolean {
        val before = state
        state = read()
        if (state.hasFileOf(before)) return false
        val former = fingerprint
        fingerprint = fingerprint()
        val hasCheckpoint = !state.hasCountersOf(before) || state.written != state.started
        return !hasCheckpoint && fingerprint != former
    }

    override fun close() {
        file.close()
        index.close()
    }

    private fun read(): State {
        while (true) {
            val (length, time) = path.length() to path.lastModified()
            val state =
                State(length, time, number(SALTS, 8), number(WRITTEN, 4), number(STARTED, 4))
            // otherwise, a checkpoint has written meanwhile
            if (path.length() == length && path.lastModified() == time) return state
        }
    }

    private fun number(position: Long, size: Int): Long {
        val bytes = ByteArray(Long.SIZE_BYTES)
        index.seek(position)
        index.read(bytes, 0, size)
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong()
    }

    /** Return the CRC-32 of blocks at equal distances. */
    private fun fingerprint(): Long {
        val checksum = CRC32()
        val distance = maxOf(BLOCK.toLong(), file.length() / BLOCKS)
        val block = ByteArray(BLOCK)
        for (number in 0..BLOCKS) {
            file.seek(number * distance)
            val size = file.read(block)
            if (size > 0) checksum.update(block, 0, size)
        }
        return checksum.value
    }
}
