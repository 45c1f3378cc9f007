package org.sartor.camera.model

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** Return the result of a training as a text for the app data. */
fun writeTraining(training: TrainingState): String = JSONObject()
    .put("losses", JSONArray(training.losses.map { it.toDouble() }))
    .put("epochs", training.epochs)
    .put("expectedAccuracy", training.result?.expectedAccuracy?.toDouble() ?: JSONObject.NULL)
    .put("samples", training.result?.samples ?: 0)
    .put("warnings", JSONArray(training.result?.warnings.orEmpty()))
    .toString()

/** Return the training in a text of the app data, or an empty one if it is not one. */
fun readTraining(text: String?): TrainingState {
    try {
        val fields = JSONObject(text ?: return TrainingState())
        val losses = fields.getJSONArray("losses")
        val warnings = fields.getJSONArray("warnings")
        return TrainingState(
            losses = List(losses.length()) { losses.getDouble(it).toFloat() },
            epochs = fields.getInt("epochs"),
            result = TrainingResult(
                fields.optDouble("expectedAccuracy").toFloat().takeIf { it.isFinite() },
                fields.getInt("samples"),
                List(warnings.length()) { warnings.getString(it) },
            ),
        )
    } catch (_: JSONException) {
        return TrainingState()
    }
}
