package org.sartor.results

import kotlin.math.abs
import org.sartor.confidence.expectedCalibrationError
import org.sartor.data.CLASSIFICATION
import org.sartor.data.MULTI_LABEL
import org.sartor.data.Matrix

/**
 * Outputs with their targets, one column per class.
 *
 * @property labels class names, in the order of the columns.
 * @property outputs outputs, [N, K].
 * @property targets targets, [N, K]; NaN where a target is missing.
 */
internal class Labelled(val labels: List<String>, val outputs: Matrix, val targets: Matrix)

/** The metrics of a task; see [org.sartor.Evaluation]. */
internal class Metrics(
    val accuracy: Double?,
    val perClass: Map<String, Double?>,
    val confusion: List<List<Int>> = emptyList(),
    val calibrationError: Double? = null,
    val absoluteError: Map<String, Double?> = emptyMap(),
)

/** Return the metrics of a task. */
internal fun metricsOf(task: String, labelled: Labelled): Metrics = when (task) {
    CLASSIFICATION -> classification(labelled)
    MULTI_LABEL -> multiLabel(labelled)
    else -> regression(labelled)
}

private fun classification(labelled: Labelled): Metrics {
    val (labels, outputs) = labelled.labels to labelled.outputs
    val classes = labelled.targets.map { target, _ -> if (target.isNaN()) 0f else target }
    val confusion = List(labels.size) { IntArray(labels.size) }
    for (row in outputs.indices) confusion[classes.argmax(row)][outputs.argmax(row)] += 1
    val correct = DoubleArray(labels.size) { confusion[it][it].toDouble() }
    return Metrics(
        correct.sum() / outputs.rows,
        ratios(labels, correct, IntArray(labels.size) { confusion[it].sum() }),
        confusion.map { it.toList() },
        expectedCalibrationError(outputs, classes),
    )
}

private fun multiLabel(labelled: Labelled): Metrics {
    val outputs = labelled.outputs
    val correct = columnSums(labelled.targets) { target, at ->
        if ((outputs.data[at] > 0.5) == (target > 0.5)) 1.0 else 0.0
    }
    val counts = countsOf(labelled.targets)
    return Metrics(correct.sum() / counts.sum(), ratios(labelled.labels, correct, counts))
}

private fun regression(labelled: Labelled): Metrics {
    val outputs = labelled.outputs
    val errors = columnSums(labelled.targets) { target, at ->
        abs(outputs.data[at] - target).toDouble()
    }
    return Metrics(
        null,
        labelled.labels.associateWith { null },
        absoluteError = ratios(labelled.labels, errors, countsOf(labelled.targets)),
    )
}

/** Return the number of targets of each column that are not missing. */
private fun countsOf(targets: Matrix): IntArray = IntArray(targets.columns) { column ->
    targets.indices.count { !targets[it, column].isNaN() }
}

/** Return the sum of a value over the targets of each column that are not missing. */
private fun columnSums(targets: Matrix, value: (Float, Int) -> Double): DoubleArray {
    val sums = DoubleArray(targets.columns)
    targets.data.forEachIndexed { at, target ->
        if (!target.isNaN()) sums[at % targets.columns] += value(target, at)
    }
    return sums
}

/** Return class name → sum / count; null if the count is 0. */
private fun ratios(
    labels: List<String>,
    sums: DoubleArray,
    counts: IntArray,
): Map<String, Double?> = labels.withIndex().associate { (i, label) ->
    label to if (counts[i] > 0) sums[i] / counts[i] else null
}
