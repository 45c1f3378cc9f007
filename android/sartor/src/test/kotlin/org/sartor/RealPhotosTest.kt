package org.sartor

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Real photos, the starter base, Android's LiteRT: from the first sample to a reopened model. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [24, 34])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
internal class RealPhotosTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val labels = listOf("hat", "shoes", "pants", "dress")

    @Test
    fun learnsFourClassesOfClothing() {
        val options = ModelOptions(File(folder.root, "model"), thumbnails = true)
        val expected = PersonalModel.open(STARTER, options).use { model ->
            for (label in labels) {
                for (photo in photos(label, 10)) model.addSample(Input.of(photo), label)
                for (photo in photos(label, 5, "validation")) {
                    model.addSample(Input.of(photo), label, SampleOptions(heldOut = true))
                }
            }
            val imprinted = model.evaluate().accuracy!!
            assertTrue("imprinted: $imprinted", imprinted >= 0.8)
            val history = model.fit().await()
            assertTrue("$history", history.epochs.last().loss < history.epochs.first().loss)
            assertTrue("${history.expectedAccuracy}", history.expectedAccuracy!! >= 0.8)
            val trained = model.evaluate().accuracy!!
            assertTrue("trained: $trained", trained >= 0.85)
            assertEquals(60, model.thumbnails().size)
            model.predictValues(Input.of(photos("hat", 11).last()))
        }
        PersonalModel.open(STARTER, options).use { model ->
            assertEquals(emptyList<String>(), model.notes)
            assertEquals(labels, model.classes().map { it.name })
            assertEquals(expected, model.predictValues(Input.of(photos("hat", 11).last())))
        }
    }
}
