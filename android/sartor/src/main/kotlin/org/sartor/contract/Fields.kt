/** A reader of JSON objects that checks each field. */

package org.sartor.contract

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject
import org.json.JSONTokener

private const val LARGEST_INTEGER = 1L shl 53 // all smaller ones are exact in JSON
private const val LONGEST_VALUE = 80 // characters in a message

/**
 * The fields of a JSON object.
 *
 * @property values name → value.
 * @property where name of the object, for errors.
 * @param error returns the error to throw if a field is missing or has a wrong type.
 */
internal class Fields(
    val values: JSONObject,
    val where: String,
    private val error: (String) -> Exception,
) {
    /** Names of the fields. */
    val names: List<String> get() = values.keys().asSequence().toList()

    /** Return whether a field is missing or null. */
    fun isMissing(name: String): Boolean = values.isNull(name)

    /** Return a string. */
    fun string(name: String): String = checked(name, "a string", ::asString)

    /** Return a string, or null if it is missing or null. */
    fun optionalString(name: String): String? = if (isMissing(name)) null else string(name)

    /** Return a string of a list. */
    fun oneOf(name: String, options: List<String>): String =
        checked(name, "one of ${options.joinToString()}") { value ->
            (value as? String)?.takeIf { it in options }
        }

    /** Return an integer of at least [minimum]. */
    fun integer(name: String, minimum: Long = -LARGEST_INTEGER): Long {
        val bound = if (minimum == -LARGEST_INTEGER) "" else " of $minimum or more"
        return checked(name, "an integer$bound") { value ->
            asInteger(value)?.takeIf { it >= minimum }
        }
    }

    /** Return an integer of 32 bits of at least [minimum]. */
    fun int(name: String, minimum: Int = Int.MIN_VALUE): Int {
        val bound = if (minimum == Int.MIN_VALUE) "of 32 bits" else "of $minimum or more"
        return checked(name, "an integer $bound") { value ->
            asInt(value)?.takeIf { it >= minimum }
        }
    }

    /** Return an integer of 32 bits, or null if it is missing or null. */
    fun optionalInt(name: String, minimum: Int = Int.MIN_VALUE): Int? =
        if (isMissing(name)) null else int(name, minimum)

    /** Return a finite number. */
    fun number(name: String): Double = checked(name, "a finite number", ::asNumber)

    /** Return a finite number, or null if it is missing or null. */
    fun optionalNumber(name: String): Double? = if (isMissing(name)) null else number(name)

    /** Return a boolean. */
    fun boolean(name: String): Boolean = checked(name, "true or false") { it as? Boolean }

    /** Return a list of finite numbers. */
    fun numbers(name: String): List<Double> =
        checked(name, "a list of finite numbers") { listOf(it, ::asNumber) }

    /** Return a list of integers of at least 0. */
    fun sizes(name: String): List<Long> = checked(name, "a list of sizes") { value ->
        listOf(value) { size -> asInteger(size)?.takeIf { it >= 0 } }
    }

    /** Return a list of positive integers. */
    fun shape(name: String): List<Int> = checked(name, "a list of positive sizes") { value ->
        listOf(value) { size -> asInt(size)?.takeIf { it > 0 } }
    }

    /** Return a list of strings. */
    fun strings(name: String): List<String> =
        checked(name, "a list of strings") { listOf(it, ::asString) }

    /** Return a list of strings and nulls. */
    fun optionalStrings(name: String): List<String?> =
        checked(name, "a list of strings and nulls") { value ->
            (value as? JSONArray)?.let { array ->
                val items = List(array.length()) { array.get(it) }
                val isValid = items.all { it == JSONObject.NULL || asString(it) != null }
                if (isValid) items.map { it as? String } else null
            }
        }

    /** Return an object. */
    fun fields(name: String): Fields =
        Fields(checked(name, "an object") { it as? JSONObject }, "$where: $name", error)

    /** Return an object, or null if it is missing or null. */
    fun optionalFields(name: String): Fields? = if (isMissing(name)) null else fields(name)

    /** Return a list of objects. */
    fun objects(name: String): List<Fields> =
        checked(name, "a list of objects") { value -> listOf(value) { it as? JSONObject } }
            .map { Fields(it, "$where: $name", error) }

    private fun <T : Any> checked(name: String, expected: String, convert: (Any) -> T?): T {
        val value = values.opt(name)
        val got = value?.toString()?.take(LONGEST_VALUE) ?: "nothing"
        return value?.let(convert) ?: throw error("$where: $name must be $expected, got $got")
    }

    companion object {
        /** Read a JSON object; throws `error` if the text is not one. */
        fun parse(text: String, where: String, error: (String) -> Exception): Fields {
            val tokens = JSONTokener(text)
            val value = try {
                tokens.nextValue()
            } catch (cause: JSONException) {
                throw error("$where is damaged: ${cause.message?.take(LONGEST_VALUE)}")
            } catch (_: StackOverflowError) {
                throw error("$where is damaged: its objects are nested too deeply")
            }
            if (value !is JSONObject || tokens.nextClean() != '\u0000') {
                val got = text.take(LONGEST_VALUE)
                throw error("$where is damaged: expected an object, got $got")
            }
            return Fields(value, where, error)
        }
    }
}

private fun asString(value: Any): String? = (value as? String)?.takeUnless(::hasLoneSurrogate)

private fun asInteger(value: Any): Long? = when (value) {
    is Int -> value.toLong()
    is Long -> value.takeIf { it in -LARGEST_INTEGER..LARGEST_INTEGER }
    else -> null
}

private fun asInt(value: Any): Int? = value as? Int

private fun asNumber(value: Any): Double? = (value as? Number)?.toDouble()?.takeIf(Double::isFinite)

private fun <T : Any> listOf(value: Any, convert: (Any) -> T?): List<T>? {
    val array = value as? JSONArray ?: return null
    return List(array.length()) { convert(array.get(it)) ?: return null }
}
