package org.sartor.store

import java.io.File
import org.json.JSONArray
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.StorageError
import org.sartor.StoreError
import org.sartor.errorOf
import org.sartor.python

/** The files of a model: their lock, interrupted writes, and 16-bit numbers. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [24, 34])
internal class FilesTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun oneModelAtATimeUsesAFolder() {
        FolderLock(folder.root).use {
            val error = errorOf<StoreError> { FolderLock(folder.root) }
            assertTrue(error.message!!, "open already" in error.message!!)
            val program = """
import fcntl, sys
with open(sys.argv[1], "r+") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("free")
    except OSError:
        print("locked")
"""
            assertEquals("locked", python(program, File(folder.root, "lock")))
        }
        FolderLock(folder.root).close()
    }

    @Test
    fun anInterruptedWriteLeavesTheOldFile() {
        val target = File(folder.root, "checkpoint")
        writeFile(target) { it.write(1) }
        val error = errorOf<StorageError> {
            writeFile(target) {
                it.write(ByteArray(100_000))
                throw java.io.IOException("No space left on device")
            }
        }
        assertTrue(error.message!!, "No space left on device" in error.message!!)
        assertArrayEquals(byteArrayOf(1), target.readBytes())
        assertEquals(listOf("checkpoint"), folder.root.list()!!.toList())
        temporaryFile(target).writeText("a killed process")
        removeLeftovers(folder.root)
        assertEquals(listOf("checkpoint"), folder.root.list()!!.toList())
    }

    @Test
    fun halvesAreThoseOfNumPy() {
        val program = """
import json
import numpy as np
bits = np.random.default_rng(0).integers(0, 2**32, 20000, np.uint64).astype(np.uint32)
half = np.arange(0, 31743, 3, np.uint16)
above = (half + 1).astype(np.uint16).view(np.float16).astype(np.float32)
ties = (half.view(np.float16).astype(np.float32) + above) / 2
with np.errstate(over="ignore", invalid="ignore"):
    limits = np.array([65519.9, 65520, -65520, 1e-8, -1e-8], np.float32)
    values = np.concatenate([bits.view(np.float32), ties, limits])
    values = values[np.isfinite(values)]
    halves = values.astype(np.float16).view(np.uint16)
print(json.dumps([values.view(np.int32).tolist(), halves.tolist()]))
"""
        val (values, halves) = JSONArray(python(program)).run { getJSONArray(0) to getJSONArray(1) }
        for (i in 0 until values.length()) {
            assertEquals(halves.getInt(i), toHalf(Float.fromBits(values.getInt(i))))
        }
        for (bits in 0 until 65536) {
            val value = fromHalf(bits)
            if (!value.isNaN()) assertEquals(bits, toHalf(value))
        }
    }
}
