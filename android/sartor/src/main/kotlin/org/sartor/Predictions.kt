package org.sartor

import org.sartor.results.Inference

/**
 * The prediction of one class.
 *
 * @property label name of the class.
 * @property probability 0…1; in a classification, the probabilities of all classes sum to 1. For a
 *   regression, the predicted number.
 */
public data class Prediction(public val label: String, public val probability: Float)

/**
 * The predictions for one input.
 *
 * @property ranking the classes, by falling probability; empty if the model has no class.
 * @property inDistribution false if the input is out-of-distribution ("none of these"); null if the
 *   model has no OOD detector, because it was not trained or has too few samples.
 * @property features values of each features tensor, row by row, for [SampleOptions.features].
 */
public class Predictions internal constructor(
    public val ranking: List<Prediction>,
    public val inDistribution: Boolean?,
    public val features: List<FloatArray> = emptyList(),
) {
    /** The most probable class; null if there is none or the input is out-of-distribution. */
    public val best: Prediction?
        get() = if (inDistribution == false) null else ranking.firstOrNull()

    override fun toString(): String {
        val classes = ranking.joinToString { "${it.label} ${it.probability}" }
        return "Predictions($classes${if (inDistribution == false) "; none of these" else ""})"
    }
}

/** Return the predictions of an inference, sorted by falling probability. */
internal fun predictionsOf(inference: Inference): Predictions {
    val predictions = inference.outputs.map { (label, output) -> Prediction(label, output) }
    return Predictions(
        predictions.sortedByDescending { it.probability },
        inference.inDistribution,
        inference.features.map { it.data },
    )
}
