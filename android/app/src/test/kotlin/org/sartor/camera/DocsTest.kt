package org.sartor.camera

import android.app.Application
import android.content.Context
import android.util.Log
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.Epoch
import org.sartor.Input
import org.sartor.ModelOptions
import org.sartor.PersonalModel
import org.sartor.TrainingListener
import java.io.File

/** The example of docs/android.md is the one below, and runs. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34], application = Application::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class DocsTest {
    private val context: Context = RuntimeEnvironment.getApplication()

    @Test
    fun theExampleLearnsAndIsBaked() {
        val bitmap = Photos.frame("hat", 0)
        val other = Photos.frame("hat", 1)

        val options = ModelOptions(folder = File(context.filesDir, "samples"), thumbnails = true)
        val model = PersonalModel.openAsset(context, "starter.tflite", options)
        model.addSample(Input.of(bitmap), "hat")                    // can be predicted at once
        model.fit(listener = object : TrainingListener {
            override fun onEpoch(epoch: Epoch) {
                Log.i("Sartor", "loss ${epoch.loss}")
            }
        }).await()
        val best = model.predict(Input.of(other)).best              // null: none of these
        model.bake(File(context.filesDir, "mine.tflite"))

        assertEquals("hat", best?.label)
        model.close()
        PersonalModel.open(File(context.filesDir, "mine.tflite")).use {
            assertEquals(listOf("hat"), it.classes().map { each -> each.name })
        }
    }

    @Test
    fun theDocsHaveTheseLines() {
        val root = System.getProperty("sartor.root")
        val source = File(root, "android/app/src/test/kotlin/org/sartor/camera/DocsTest.kt").readText()
        val page = File(root, "docs/android.md").readText().replace("model.tflite", "starter.tflite")
        val example = page.substringAfter("```kotlin\nval options").substringBefore("```")
        assertTrue(example.lines().size > 5)
        assertTrue(example, example.trimEnd().prependIndent("        ").trim() in source)
    }
}
