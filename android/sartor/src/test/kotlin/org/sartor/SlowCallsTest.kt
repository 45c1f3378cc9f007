package org.sartor

import android.os.StrictMode
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.lang.reflect.Modifier
import java.util.concurrent.Executors
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config

/** StrictMode detects each method of a model in the main thread, where it would block an app. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [24, 34])
internal class SlowCallsTest {
    private val input = Input.ofValues(floatArrayOf(0.5f, 1f, 1.5f, 2f))
    private val nothing get() = ByteArrayInputStream(ByteArray(0))

    /** Name of a method → a call of it. */
    private val calls: Map<String, (PersonalModel) -> Unit> = mapOf(
        "classes" to { it.classes() },
        "samples" to { it.samples() },
        "thumbnails" to { it.thumbnails() },
        "photo" to { it.photo(1) },
        "hasPhoto" to { it.hasPhoto(1) },
        "addSample" to { it.addSample(input, "a") },
        "find" to { it.find(input) },
        "forget" to { it.forget(1) },
        "addClass" to { it.addClass("b") },
        "renameClass" to { it.renameClass("a", "b") },
        "removeClass" to { it.removeClass("a") },
        "predict" to { it.predict(input) },
        "predictMany" to { it.predictMany(listOf(input)) },
        "predictValues" to { it.predictValues(input) },
        "evaluate" to { it.evaluate() },
        "fit" to { it.fit() },
        "appData" to { it.appData() },
        "setAppData" to { it.setAppData("a", "b") },
        "close" to { it.close() },
        "save" to { it.save() },
        "load" to { it.load() },
        "saveCheckpoint" to { it.saveCheckpoint(ByteArrayOutputStream()) },
        "loadCheckpoint" to { it.loadCheckpoint(nothing) },
        "bake" to { it.bake(ByteArrayOutputStream()) },
        "freeze" to { it.freeze(ByteArrayOutputStream()) },
        "exportProject" to { it.exportProject(ByteArrayOutputStream()) },
        "importProject" to { it.importProject(nothing) },
    )

    private fun refuseSlowCalls() = StrictMode.setThreadPolicy(
        StrictMode.ThreadPolicy.Builder().detectCustomSlowCalls().penaltyDeath().build(),
    )

    @After
    fun allowSlowCalls() = StrictMode.setThreadPolicy(StrictMode.ThreadPolicy.LAX)

    @Test
    fun eachMethodIsDetected() {
        PersonalModel.open(smallModel()).use { model ->
            refuseSlowCalls()
            for ((name, call) in calls) assertThrows(name, RuntimeException::class.java) { call(model) }
            assertThrows(RuntimeException::class.java) { PersonalModel.open(smallModel()) }
            model.stop() // returns at once
            allowSlowCalls()
            assertEquals(0, model.samples().size)
            assertEquals(emptyList<ClassSummary>(), model.classes())
        }
    }

    @Test
    fun anotherThreadMayCallThem() {
        refuseSlowCalls()
        val background = Executors.newSingleThreadExecutor()
        val classes = background.submit<List<String>> {
            PersonalModel.open(smallModel()).use { model ->
                model.addSample(input, "a")
                model.fit(TrainingOptions(epochs = 1)).await()
                model.classes().map { it.name }
            }
        }.get()
        background.shutdown()
        assertEquals(listOf("a"), classes)
    }

    @Test
    fun noMethodIsMissingHere() {
        val methods = PersonalModel::class.java.methods
            .filter { it.declaringClass.name.startsWith("org.sartor") }
            .filterNot { Modifier.isStatic(it.modifiers) || it.isSynthetic || '$' in it.name }
            .map { it.name }
            .filterNot { it.startsWith("get") || it in setOf("stop", "toString") }
        assertEquals(calls.keys.sorted(), methods.toSet().sorted())
    }
}
