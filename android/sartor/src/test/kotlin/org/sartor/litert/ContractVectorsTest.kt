package org.sartor.litert

import java.io.File
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters
import org.sartor.ROOT
import org.sartor.recipe.difference
import org.sartor.recipe.toValue

private val FOLDER = File(ROOT, "contract/cases")

/** The vectors of the contract: the same calls as in every language, on Android's LiteRT. */
@RunWith(Parameterized::class)
internal class ContractVectorsTest(name: String) {
    private val vectors = JSONObject(File(FOLDER, "$name.json").readText())
    private val model = File(FOLDER, vectors.getString("model"))

    @Test
    fun allCallsHaveTheirOutputs() {
        val file = checkModelFile(mapFile(model), model.name)
        val tolerance = vectors.getDouble("tolerance")
        RuntimeEngine(file, TfliteRuntime()).use { engine ->
            val calls = vectors.getJSONArray("calls").objects()
            assertTrue(calls.isNotEmpty())
            for (call in calls) {
                val inputs = call.getJSONObject("inputs").tensors(::arrayOf)
                val expected = call.getJSONObject("outputs").tensors { it.numbers() }
                val outputs = engine.run(call.getString("signature"), inputs)
                assertEquals(expected.keys, outputs.keys)
                val difference = difference(toValue(outputs), expected)
                val about = "${call.getString("signature")}, ${call.getString("about")}"
                assertTrue("$about: $difference", difference <= tolerance)
            }
        }
    }

    private fun arrayOf(tensor: JSONObject): Any {
        val numbers = tensor.numbers()
        return when (tensor.getString("dtype")) {
            "float32" -> FloatArray(numbers.size) { numbers[it].toFloat() }
            "int32" -> IntArray(numbers.size) { numbers[it].toInt() }
            else -> ByteArray(numbers.size) { numbers[it].toInt().toByte() }
        }
    }

    private fun JSONObject.numbers(): List<Double> =
        getJSONArray("data").run { List(length(), ::getDouble) }

    private fun JSONArray.objects(): List<JSONObject> = List(length(), ::getJSONObject)

    private fun <T> JSONObject.tensors(convert: (JSONObject) -> T): Map<String, T> =
        keys().asSequence().associateWith { convert(getJSONObject(it)) }

    companion object {
        @JvmStatic
        @Parameters(name = "{0}")
        fun names(): List<String> = FOLDER.listFiles().orEmpty()
            .filter { it.extension == "json" }.map { it.nameWithoutExtension }.sorted()
    }
}
