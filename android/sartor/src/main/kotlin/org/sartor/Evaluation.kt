package org.sartor

/**
 * The metrics of a model on labelled samples.
 *
 * @property accuracy fraction of correct predictions, 0…1; null for a regression.
 * @property loss mean loss over the samples.
 * @property samples number of samples.
 * @property labels class names, in the order of [confusion].
 * @property perClass class name → fraction of correct predictions among the samples of the class
 *   (recall); for several labels per sample, the accuracy of that label. Null for a class without
 *   samples.
 * @property confusion confusion matrix: rows are true classes, columns are predictions. Empty
 *   unless the task is classification.
 * @property calibrationError expected calibration error, 0…1; null unless the task is
 *   classification.
 * @property absoluteError name → mean absolute error, null without samples; empty unless the task
 *   is regression.
 * @property support class name → number of samples of the class; for regression, with a value of
 *   it.
 */
public class Evaluation internal constructor(
    public val accuracy: Double?,
    public val loss: Double,
    public val samples: Int,
    public val labels: List<String>,
    public val perClass: Map<String, Double?>,
    public val confusion: List<List<Int>>,
    public val calibrationError: Double?,
    public val absoluteError: Map<String, Double?>,
    public val support: Map<String, Int>,
) {
    override fun toString(): String = "Evaluation($samples samples, accuracy $accuracy, loss $loss)"
}
