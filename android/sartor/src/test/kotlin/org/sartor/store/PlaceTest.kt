package org.sartor.store

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.StoreError
import org.sartor.contract.Manifest
import org.sartor.data.Matrix
import org.sartor.errorOf
import org.sartor.execute
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.sartor.smallModel

/** Stores that another program changes while they are open. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [24, 34])
internal class PlaceTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val manifest: Manifest = checkModelFile(mapFile(smallModel()), "small").manifest
    private val file: File get() = File(folder.root, "samples")

    private fun open(file: File = this.file) = SampleStore(file, file.path, manifest)

    private fun SampleStore.addSample(number: Int) {
        val features = Matrix(FloatArray(12) { (number * 12 + it) / 7f }, 12)
        val source = ByteArray(32) { number.toByte() }
        val targets = mapOf("hat" to 1.0)
        add(SampleOfStore(listOf(features), targets, source, false, emptyMap()), emptyMap())
    }

    /** Return a complete store with other samples. */
    private fun other(): File = File(folder.root, "other").also { file ->
        open(file).use { store -> repeat(9) { store.addSample(100 + it) } }
    }

    @Test
    fun aStoreThatIsDeletedWhileItIsOpenGivesAnError() {
        open().use { store ->
            repeat(2) { store.addSample(it) }
            file.delete()
            val error = errorOf<StoreError> { store.addSample(7) }
            assertTrue(error.message!!, "was deleted or moved" in error.message!!)
            assertEquals(2, store.samples().size)
        }
    }

    @Test
    fun aStoreThatIsOverwrittenWhileItIsOpenGivesAnErrorAndKeepsTheNewContent() {
        val other = other()
        open().use { store ->
            repeat(2) { store.addSample(it) }
            execute(listOf("cp", other, file)) // into the same file
            repeat(2) {
                val error = errorOf<StoreError> { store.addSample(7) }
                assertTrue(error.message!!, "was overwritten by another program" in error.message!!)
            }
        }
        open().use { store ->
            store.check()
            assertEquals(9, store.samples().size)
            store.addSample(7)
        }
    }

    @Test
    fun checkpointsOfSQLiteDoNotOverwriteAStore() {
        open().use { store ->
            repeat(300) { store.addSample(it) }
            store.forget(listOf(1L, 2L)) // which writes the whole file again
            repeat(20) { store.addSample(it) }
            assertEquals(318, store.samples().size)
        }
    }
}
