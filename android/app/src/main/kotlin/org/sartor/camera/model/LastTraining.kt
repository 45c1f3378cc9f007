package org.sartor.camera.model

import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject
import org.sartor.History
import org.sartor.PersonalModel

private const val KEY = "camera/training"
private const val MOST_EPOCHS = 300 // of the stored losses
private const val HEAD_DIGITS = 16

/** Return the state of a training of a model, which has just ended. */
fun trainingState(model: PersonalModel, history: History): TrainingState = TrainingState(
    losses = history.epochs.map { it.loss.toFloat() },
    epochs = history.epochs.size,
    result = TrainingResult(
        history.expectedAccuracy?.toFloat(),
        history.samples,
        history.warnings,
        weightsDigest(model),
    ),
)

/** Store a training, which the app shows again when it is opened; null deletes that of the last one. */
fun saveTraining(model: PersonalModel, training: TrainingState?) =
    model.setAppData(KEY, training?.let { writeTraining(it, headOf(model)) })

/** Return the training that gave a model its weights; an empty one if there is none. */
fun loadTraining(model: PersonalModel): TrainingState {
    val training = readTraining(model.appData(KEY)[KEY], headOf(model))
    return if (isCurrent(model, training)) training else TrainingState()
}

/** Return whether a model still has the weights that the result of a training belongs to. */
fun isCurrent(model: PersonalModel, training: TrainingState): Boolean {
    val weights = training.result?.weights
    return weights == null || weights == weightsDigest(model)
}

/** Return a training as a text for the app data. The camera app in the browser reads it too. */
fun writeTraining(training: TrainingState, head: String): String {
    val losses = thin(training.losses)
    return JSONObject()
        .put("losses", JSONArray(losses.map { it.toDouble() }))
        .put("epochs", losses.size)
        .put("expectedAccuracy", training.result?.expectedAccuracy?.toDouble() ?: JSONObject.NULL)
        .put("samples", training.result?.samples ?: 0)
        .put("warnings", JSONArray(training.result?.warnings.orEmpty()))
        .put("weights", training.result?.weights) // nothing if it is null
        .put("head", head)
        .toString()
}

/**
 * Return the training in a text of the app data, which anyone may have written; an empty one if it has none.
 *
 * @param head head of the model: the samples are those of a base, and so of all of its heads.
 */
fun readTraining(text: String?, head: String): TrainingState {
    try {
        val fields = JSONObject(text ?: return TrainingState())
        val values = fields.getJSONArray("losses")
        val losses = List(values.length()) { values.getDouble(it).toFloat() }
        val warnings = fields.getJSONArray("warnings")
        val weights = fields.opt("weights")
        val isResult = losses.size <= 100 * MOST_EPOCHS && losses.all(Float::isFinite) &&
            (weights == null || weights is String) && fields.optString("head", head) == head
        val result = TrainingResult(
            fields.optDouble("expectedAccuracy").toFloat().takeIf { it in 0f..1f },
            fields.getInt("samples"),
            List(warnings.length()) { warnings.getString(it) },
            weights as? String,
        )
        return if (isResult) TrainingState(losses = losses, epochs = losses.size, result = result) else TrainingState()
    } catch (_: JSONException) {
        return TrainingState()
    }
}

private fun headOf(model: PersonalModel) = model.manifest.fingerprints.head.take(HEAD_DIGITS)

/** Return at most `MOST_EPOCHS` values, among them the last one. */
private fun thin(values: List<Float>): List<Float> {
    val step = (values.size + MOST_EPOCHS - 1) / MOST_EPOCHS
    return values.filterIndexed { i, _ -> (values.size - 1 - i) % step == 0 }
}
