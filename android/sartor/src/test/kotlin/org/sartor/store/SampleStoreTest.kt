package org.sartor.store

import android.database.sqlite.SQLiteDatabase
import java.io.File
import java.io.RandomAccessFile
import org.json.JSONArray
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.DataError
import org.sartor.StorageError
import org.sartor.StoreError
import org.sartor.contract.Manifest
import org.sartor.data.Matrix
import org.sartor.errorOf
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.sartor.python
import org.sartor.smallModel

private const val PYTHON = """
import json, sys
import numpy as np
from sartor.litert import open_model
from sartor.runtime.store import SampleStore
from pathlib import Path
store = SampleStore(sys.argv[2], open_model(Path(sys.argv[1])))
"""

/** The sample store on the platform's SQLite. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [24, 34])
internal class SampleStoreTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val manifest: Manifest = checkModelFile(mapFile(smallModel()), "small").manifest
    private val file: File get() = File(folder.root, "samples")

    private fun open(limits: Limits = Limits()) = SampleStore(file, file.path, manifest, limits)

    private fun sample(
        number: Int,
        label: String = "hät",
        heldOut: Boolean = false,
        images: Map<String, ByteArray> = emptyMap(),
    ): SampleOfStore {
        val features = Matrix(FloatArray(12) { (number * 12 + it) / 7f }, 12)
        val source = ByteArray(32) { number.toByte() }
        return SampleOfStore(listOf(features), mapOf(label to 1.0), source, heldOut, images)
    }

    /** Limit the size of the file, as a full storage does. */
    private fun SampleStore.limitPages(count: Long) {
        val database = privateField(this, "database")
        val connection = privateField(database, "connection") as SQLiteDatabase
        connection.rows("PRAGMA max_page_count=$count")
    }

    private fun privateField(of: Any, name: String): Any =
        of.javaClass.getDeclaredField(name).apply { isAccessible = true }.get(of)!!

    private fun SampleStore.addAll(count: Int) {
        repeat(count) { add(sample(it, if (it % 3 == 0) "hät" else "shoe", it == 4), emptyMap()) }
    }

    @Test
    fun keepsSamplesInAFile() {
        open().use { it.addAll(6) }
        open().use { store ->
            assertEquals((1L..6L).toList(), store.samples().map { it.id })
            assertEquals(mapOf("hät" to 2, "shoe" to 4), store.counts())
            assertEquals(mapOf("hät" to 0, "shoe" to 1), store.counts(heldOut = true))
            assertEquals(3L, store.find(ByteArray(32) { 2 })?.id)
            assertNull(store.find(ByteArray(32) { 99 }))
            val rows = store.select(heldOut = false)
            assertArrayEquals(longArrayOf(1, 2, 3, 4, 6), rows.samples)
            val expected = store.round(sample(5).features).single().data
            assertArrayEquals(expected, rows.features.single().row(4), 0f)
        }
        assertFalse(File(file.path + "-wal").exists())
    }

    @Test
    fun isReadByPythonWithTheSameSamples() {
        val own = open().use { store ->
            store.addAll(6)
            store.setAppData("key", "täxt")
            store.rename("shoe", "boot")
            val rows = store.samples().map {
                "${it.id} ${it.targets.keys.single()} ${it.isHeldOut} ${it.source}"
            }
            rows to store.select().features.single().data.toList()
        }
        val program = PYTHON + """
store.check()
rows = [f"{s.id} {s.label} {str(s.held_out).lower()} {s.source}" for s in store.samples()]
features = store.select().features[0].ravel().tolist()
print(json.dumps([rows, features, dict(store.app_data("key"))]))
"""
        val result = JSONArray(python(program, smallModel(), file))
        assertEquals(own.first, List(6) { result.getJSONArray(0).getString(it) })
        val features = List(72) { result.getJSONArray(1).getDouble(it).toFloat() }
        assertEquals(own.second, features)
        assertEquals("täxt", result.getJSONObject(2).getString("key"))
    }

    @Test
    fun readsAStoreOfPython() {
        val program = PYTHON + """
values = np.random.default_rng(0).normal(size=(4, 2, 12)).astype(np.float32)
for i, rows in enumerate(values):
    label = "hat" if i % 2 else "schäl"
    features = [[row[None]] for row in rows]
    store.add(features, {label: 1.0}, source=bytes([i]) * 32, held_out=i == 3)
store.forget([1])
print(json.dumps([values.astype(np.float16).astype(np.float32).ravel().tolist()]))
"""
        val result = JSONArray(python(program, smallModel(), file))
        open().use { store ->
            store.check()
            assertEquals(listOf("hat", "schäl"), store.counts().keys.sorted())
            assertEquals(listOf(2L, 3L, 4L), store.samples().map { it.id })
            assertEquals(listOf(2, 2, 2), store.samples().map { it.rows })
            assertTrue(store.samples().last().isHeldOut)
            val expected = List(72) { result.getJSONArray(0).getDouble(24 + it).toFloat() }
            assertEquals(expected, store.select().features.single().data.toList())
        }
    }

    @Test
    fun forgetsForGood() {
        val words = "a very secret photo".toByteArray()
        open().use { store ->
            store.addAll(3)
            val id = store.add(sample(9, "secret", images = mapOf("photo" to words)), emptyMap())
            assertArrayEquals(words, store.image(id, "photo"))
            store.forget(listOf(id))
            assertEquals(setOf("hät", "shoe"), store.counts().keys)
            assertTrue(null in store.classKeys().values)
            errorOf<DataError> { store.forget(listOf(id)) }
            for (path in listOf(file, File(file.path + "-wal"))) {
                val text = path.readBytes().toString(Charsets.ISO_8859_1)
                assertFalse("$path", "secret" in text)
            }
        }
    }

    @Test
    fun keepsImagesThatAreLargerThanACursor() {
        val photo = ByteArray(5_000_000) { (it * 31).toByte() }
        open().use { store ->
            val id = store.add(sample(1, images = mapOf("photo" to photo)), emptyMap())
            assertArrayEquals(photo, store.image(id, "photo"))
            store.check()
            val copy = File(folder.root, "copy")
            store.copyTo(copy)
            SampleStore(copy, "the copy", manifest, create = false).use { other ->
                assertArrayEquals(photo, other.image(id, "photo"))
                other.check()
                store.replace(other, emptyList())
                assertArrayEquals(photo, store.image(id, "photo"))
            }
        }
    }

    @Test
    fun aFullStorageChangesNothing() {
        open().use { it.addAll(3) }
        open().use { store ->
            val pages = file.length() / 8192
            store.limitPages(pages + 1)
            val photo = mapOf("photo" to ByteArray(200_000))
            val error = errorOf<StorageError> { store.add(sample(8, images = photo), emptyMap()) }
            assertTrue(error.message!!, "the storage is full" in error.message!!)
            assertEquals(3, store.samples().size)
            store.check()
            store.limitPages(100_000)
            store.add(sample(8, images = photo), emptyMap())
            assertEquals(4, store.samples().size)
        }
    }

    @Test
    fun refusesOtherFiles() {
        file.writeText("not a database, but a text that is long enough to be one".repeat(20))
        val before = file.readBytes()
        errorOf<StoreError> { open() }
        assertArrayEquals(before, file.readBytes()) // the platform would delete it
        file.delete()
        SQLiteDatabase.openOrCreateDatabase(file, null).use { it.execSQL("CREATE TABLE other (x)") }
        val error = errorOf<StoreError> { open() }
        assertTrue(error.message!!, "not a sample store" in error.message!!)
    }

    @Test
    fun refusesAStoreWithAnotherTable() {
        open().use { it.addAll(2) }
        for (sql in listOf("CREATE TABLE other (x)", "CREATE VIEW v AS SELECT 1")) {
            val copy = File(folder.root, "changed").also { file.copyTo(it, overwrite = true) }
            val flags = SQLiteDatabase.NO_LOCALIZED_COLLATORS
            SQLiteDatabase.openDatabase(copy.path, null, flags).use { it.execSQL(sql) }
            val error = errorOf<StoreError> { SampleStore(copy, copy.path, manifest) }
            assertTrue(error.message!!, "not the tables of a store" in error.message!!)
        }
    }

    @Test
    fun refusesAStoreOfAnotherBase() {
        open().use { it.addAll(2) }
        val other = manifest.copy(fingerprints = manifest.fingerprints.copy(base = "0"))
        val error = errorOf<StoreError> { SampleStore(file, file.path, other) }
        assertTrue(error.message!!, "another base" in error.message!!)
    }

    @Test
    fun aDamagedStoreGivesAnErrorAndIsKept() {
        open().use { it.addAll(30) }
        val content = file.readBytes()
        val random = java.util.Random(3)
        var refused = 0
        repeat(40) {
            val damaged = content.clone()
            repeat(40) {
                damaged[100 + random.nextInt(damaged.size - 100)] = random.nextInt().toByte()
            }
            file.writeBytes(damaged)
            try {
                open().use(SampleStore::check)
            } catch (_: StoreError) {
                refused += 1
            }
            assertTrue(file.exists())
            listOf("-wal", "-shm", "-journal").forEach { File(file.path + it).delete() }
        }
        assertTrue("$refused", refused > 20)
        file.writeBytes(content)
        RandomAccessFile(file, "rw").use { it.setLength(file.length() / 2) }
        errorOf<StoreError> { open() }
    }
}
