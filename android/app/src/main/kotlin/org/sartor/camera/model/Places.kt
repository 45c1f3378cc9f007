package org.sartor.camera.model

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** Number of colors of classes. */
const val COLORS: Int = 10

/** The place of a class on the screen: its name, and the number of its color. */
data class Place(val name: String, val color: Int)

/** Return the places of present classes: former ones keep order and color, new ones follow. */
fun arrange(places: List<Place>, names: List<String>): List<Place> {
    val arranged = places.filter { it.name in names }.toMutableList()
    for (name in names - arranged.map { it.name }.toSet()) {
        arranged += Place(name, freeColor(arranged))
    }
    return arranged
}

/** Return the places in a text of the app data, or none if it is not one. */
fun readPlaces(text: String?): List<Place> = try {
    val places = JSONArray(text ?: "[]")
    List(places.length()) { places.getJSONObject(it) }
        .map { Place(it.getString("name"), it.getInt("color")) }
        .filter { it.color >= 0 }
} catch (_: JSONException) {
    emptyList()
}

/** Return places as a text for the app data. The camera app in the browser reads it too. */
fun writePlaces(places: List<Place>): String =
    JSONArray(places.map { JSONObject().put("name", it.name).put("color", it.color) }).toString()

private fun freeColor(places: List<Place>): Int {
    val uses = IntArray(COLORS)
    places.forEach { uses[it.color % COLORS]++ }
    return uses.indices.minByOrNull { uses[it] } ?: 0
}
