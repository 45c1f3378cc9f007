package org.sartor.saved

import java.io.File
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.sartor.Input
import org.sartor.PersonalModel
import org.sartor.ROOT
import org.sartor.STARTER
import org.sartor.TrainingOptions
import org.sartor.execute
import org.sartor.python

private const val PYTHON = "tests/exchange/round_trip.py"
private const val BROWSER = "sartor/tests/round_trip/vitest.config.ts"
private const val TOLERANCE = 1e-5

/** A project goes from Python to Android, the browser and back, and predicts the same at each stop. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
internal class RoundTripTest {
    @get:Rule
    val folder = TemporaryFolder()

    private fun path(name: String) = File(folder.root, name)

    private fun input(photo: String) = Input.of(path(photo))

    @Test
    fun aProjectPredictsTheSameInPythonOnAndroidAndInTheBrowser() {
        assumeTrue("the browser's packages are not there: `npm ci` in web", hasBrowser())
        STARTER.copyTo(path("model.tflite"))
        val start = JSONObject(python(File(ROOT, PYTHON), "start", folder.root))
        val (opened, changed) = onAndroid()
        assertSame("Python → Android", start, opened)
        val vitest = listOf("npx", "vitest", "run", "--config", BROWSER)
        execute(vitest, File(ROOT, "web"), mapOf("ROUND_TRIP" to folder.root.path))
        val browser = JSONObject(path("browser.json").readText())
        assertSame("Android → browser", changed, browser.getJSONObject("opened"))
        val end = JSONObject(python(File(ROOT, PYTHON), "end", folder.root))
        assertSame("browser → Python", browser.getJSONObject("changed"), end)
        assertProgress(start, changed, end)
    }

    private fun hasBrowser() = File(ROOT, "web/node_modules/.bin/vitest").exists()

    /** Open the project of Python, add two photos, train, and write `android.sartor`. */
    private fun onAndroid(): Pair<JSONObject, JSONObject> =
        PersonalModel.open(path("model.tflite")).use { model ->
            assertEquals(emptyList<String>(), model.importProject(path("python.sartor")))
            val opened = stateOf(model)
            model.addSample(input("more/0.png"), "schuhe é")
            model.addSample(input("more/1.png"), "schuhe é")
            model.fit(TrainingOptions(epochs = 5)).await()
            model.exportProject(path("android.sartor"))
            opened to stateOf(model)
        }

    /** Return the predictions for each probe, and the samples, as the other stops state them. */
    private fun stateOf(model: PersonalModel): JSONObject {
        val probes = path("probe").listFiles().orEmpty().sorted().map { model.predict(Input.of(it)) }
        val outputs = probes.map { probe ->
            JSONObject(probe.ranking.associate { it.label to it.probability })
        }
        val samples = model.samples().map {
            JSONArray(listOf(it.id, it.isHeldOut, it.targets.keys.single(), it.source))
        }
        return JSONObject()
            .put("outputs", JSONArray(outputs))
            .put("in_distribution", JSONArray(probes.map { it.inDistribution }))
            .put("samples", JSONArray(samples))
            .put("accuracy", model.evaluate().accuracy)
    }

    private fun assertSame(leg: String, before: JSONObject, after: JSONObject) {
        for (name in listOf("samples", "in_distribution")) {
            assertEquals("$leg: $name", before.getJSONArray(name).toString(), after.getJSONArray(name).toString())
        }
        assertEquals(leg, before.getDouble("accuracy"), after.getDouble("accuracy"), 1e-6)
        val outputs = before.getJSONArray("outputs")
        assertTrue("$leg: no outputs", outputs.length() > 0)
        for (probe in 0 until outputs.length()) {
            val expected = outputs.getJSONObject(probe)
            val actual = after.getJSONArray("outputs").getJSONObject(probe)
            assertEquals(leg, expected.keys().asSequence().toSet(), actual.keys().asSequence().toSet())
            for (label in expected.keys()) {
                val text = "$leg: probe $probe, $label"
                assertEquals(text, expected.getDouble(label), actual.getDouble(label), TOLERANCE)
            }
        }
    }

    /** Each stop has changed the project: otherwise one could return an old file. */
    private fun assertProgress(vararg states: JSONObject) {
        for ((before, after) in states.asList().zipWithNext()) {
            assertTrue(after.getJSONArray("samples").length() > before.getJSONArray("samples").length())
            assertNotEquals(before.getJSONArray("outputs").toString(), after.getJSONArray("outputs").toString())
        }
    }
}
