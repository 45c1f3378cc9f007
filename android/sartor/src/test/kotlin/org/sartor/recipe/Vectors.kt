package org.sartor.recipe

import java.io.File
import kotlin.math.abs
import org.json.JSONArray
import org.json.JSONObject
import org.sartor.data.Matrix

/** Root folder of the repository. */
internal val ROOT = File(System.getProperty("sartor.root") ?: ".")

/** Name → value, as JSON has it. */
internal typealias Values = Map<String, Any?>

/** One case of a rule of the recipe, from `contract/recipe/`. */
internal class Case(
    val rule: String,
    val tolerance: Double,
    val about: String,
    val inputs: Values,
    val outputs: Any?,
) {
    override fun toString(): String = "$rule: $about"
}

/** Return all cases of the vector files. */
internal fun allCases(): List<Case> =
    File(ROOT, "contract/recipe").listFiles { file -> file.extension == "json" }.orEmpty()
        .sorted().flatMap(::casesOf)

private fun casesOf(file: File): List<Case> {
    val rules = JSONObject(file.readText()).getJSONArray("rules")
    return (0 until rules.length()).map(rules::getJSONObject).flatMap { rule ->
        val cases = rule.getJSONArray("cases")
        (0 until cases.length()).map(cases::getJSONObject).map { case ->
            Case(
                rule.getString("rule"),
                rule.getDouble("tolerance"),
                case.getString("about"),
                valuesOf(case.getJSONObject("inputs")),
                valueOf(case.get("outputs")),
            )
        }
    }
}

private fun valuesOf(json: JSONObject): Values =
    json.keys().asSequence().associateWith { valueOf(json.get(it)) }

private fun valueOf(json: Any?): Any? = when (json) {
    is JSONObject -> valuesOf(json)
    is JSONArray -> List(json.length()) { valueOf(json.get(it)) }
    JSONObject.NULL -> null
    else -> json
}

/** Return a result as JSON has it: arrays and matrices as lists. */
internal fun toValue(result: Any?): Any? = when (result) {
    is Matrix -> result.data.toList()
    is FloatArray -> result.toList()
    is DoubleArray -> result.toList()
    is IntArray -> result.toList()
    is LongArray -> result.toList()
    is ByteArray -> result.map { it.toInt() and 255 }
    is List<*> -> result.map(::toValue)
    is Map<*, *> -> result.mapValues { toValue(it.value) }
    else -> result
}

/**
 * Return the largest difference between values: absolute if the expected value is below 1, relative
 * otherwise.
 *
 * Numbers are compared in row-major order: a nested list equals its flat form. Pixels may differ by
 * one level.
 *
 * @throws AssertionError if texts, booleans, names or lengths differ, or a value is not a number.
 */
internal fun difference(value: Any?, expected: Any?, name: String = "outputs"): Double {
    return when (expected) {
        is List<*> -> listDifference(value, expected, name)
        is Map<*, *> -> recordDifference(value, expected, name)
        is Number -> numberDifference(value, expected.toDouble(), name)
        else -> {
            check(value == expected, name, value, expected)
            0.0
        }
    }
}

private fun numberDifference(value: Any?, expected: Double, name: String): Double {
    val number = (value as? Number)?.toDouble() ?: Double.NaN
    check(!number.isNaN(), name, value, expected)
    return abs(number - expected) / maxOf(1.0, abs(expected))
}

private fun pixelDifference(value: Any?, expected: Any?, name: String): Double {
    check(value is List<*> && expected is List<*>, name, value, expected)
    val levels = flatten(value as List<*>).map { (it as Number).toInt() }
    val others = flatten(expected as List<*>).map { (it as Number).toInt() }
    check(levels.size == others.size, "$name.size", levels.size, others.size)
    val largest = others.indices.maxOf { abs(levels[it] - others[it]) }
    return if (largest <= 1) 0.0 else largest.toDouble()
}

private fun listDifference(value: Any?, expected: List<*>, name: String): Double {
    check(value is List<*>, name, value, expected)
    val values = flat(value as List<*>)
    val others = flat(expected)
    check(values.size == others.size, "$name.size", values.size, others.size)
    return others.indices.maxOfOrNull { difference(values[it], others[it], "$name[$it]") } ?: 0.0
}

private fun recordDifference(value: Any?, expected: Map<*, *>, name: String): Double {
    check(value is Map<*, *>, name, value, expected)
    val record = value as Map<*, *>
    check(record.keys == expected.keys, "the names in $name", record.keys, expected.keys)
    return expected.maxOfOrNull { (key, each) ->
        val compare = if (key == "pixels") ::pixelDifference else ::difference
        compare(record[key], each, "$name.$key")
    } ?: 0.0
}

/** Return nested lists of numbers as one list; other lists stay. */
private fun flat(list: List<*>): List<*> {
    val values = flatten(list)
    return if (values.all { it is Number }) values else list
}

private fun flatten(list: List<*>): List<*> =
    list.flatMap { if (it is List<*>) flatten(it) else listOf(it) }

private fun check(condition: Boolean, name: String, value: Any?, expected: Any?) {
    if (!condition) {
        val (got, other) = listOf(value, expected).map { "$it".take(200) }
        throw AssertionError("$name: got $got, expected $other")
    }
}
