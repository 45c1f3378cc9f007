package org.sartor.recipe

import android.database.sqlite.SQLiteDatabase
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.contract.FeatureSpec
import org.sartor.contract.Fingerprints
import org.sartor.data.CLASSIFICATION
import org.sartor.data.Matrix
import org.sartor.store.Limits
import org.sartor.store.SampleOfStore
import org.sartor.store.SampleStore

/** The rule of a full store: its vectors of `contract/recipe/`, on the platform's SQLite. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], manifest = Config.NONE)
internal class EvictTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun deletesTheSamplesOfTheVectors() {
        val cases = allCases().filter { it.rule == "evict" }
        assertEquals(5, cases.size)
        for (case in cases) {
            assertEquals(case.about, 0.0, difference(play(case.inputs), case.outputs), 0.0)
        }
    }

    private fun play(x: Values): Values {
        val features = x.matrix("features")
        val spec = FeatureSpec("features", listOf(features.columns), "float32", null, null)
        val manifest = manifestOf(CLASSIFICATION, 4)
            .copy(features = listOf(spec), fingerprints = Fingerprints("0f", "", ""))
        val file = File(folder.newFolder(), "samples.db")
        val limits = Limits(maxSamples = x.long("max_samples"))
        SampleStore(file, "samples.db", manifest, limits).use { store ->
            setNextId(file, x.int("first_id"))
            val ids = x.ints("classes").mapIndexed { row, index ->
                val targets = mapOf("class $index" to 1.0)
                val values = listOf(features.take(intArrayOf(row)))
                val source = byteArrayOf(row.toByte())
                store.add(SampleOfStore(values, targets, source, false, emptyMap()), emptyMap())
                store.samples().map { it.id }
            }
            return mapOf("ids" to ids)
        }
    }

    /** Let the store give the first sample an ID, as if it had deleted earlier ones. */
    private fun setNextId(file: File, id: Int) {
        SQLiteDatabase.openDatabase(file.path, null, 0).use {
            it.execSQL("INSERT INTO sqlite_sequence VALUES ('sample', ${id - 1})")
        }
    }
}
