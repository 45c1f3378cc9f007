package org.sartor.training

import kotlin.math.sqrt
import org.sartor.confidence.OODDetector
import org.sartor.confidence.scaleToLength
import org.sartor.contract.Manifest
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.taskOf
import org.sartor.dot
import org.sartor.indicesOf

/**
 * Return a data set with the prototypes of some classes added as samples.
 *
 * A training on some of the classes would move the others out of the way. The prototypes of the
 * out-of-distribution detector, which a checkpoint holds, stand in for the samples of classes that
 * have weights but no samples (pseudo-rehearsal, Robins 1995). They get the mean length of the
 * features of the samples.
 *
 * @param manifest manifest of the model, a classifier.
 * @param dataset samples of a classification.
 * @param detector detector with the prototypes.
 * @param classes class indices.
 */
internal fun addPrototypes(
    manifest: Manifest,
    dataset: Dataset,
    detector: OODDetector,
    classes: Set<Int>,
): Dataset {
    val prototypes = detector.prototypes
    val rows = indicesOf(prototypes.classes.size) { prototypes.classes[it] in classes }
    val added = Matrix.filled(rows.size, dataset.targets.columns)
    rows.forEachIndexed { i, row -> added[i, prototypes.classes[row]] = 1f }
    val targets = Matrix.stack(listOf(dataset.targets, added))
    val fractions = dataset.fractions + DoubleArray(rows.size) { 1.0 }
    val next = (dataset.samples.maxOrNull() ?: 0) + 1
    return Dataset(
        appendRows(dataset.features, prototypes.rows.take(rows)),
        targets,
        taskOf(manifest).weights(targets, fractions),
        dataset.samples + LongArray(rows.size) { next + it },
        fractions,
    )
}

/** Append rows [R, F] to all features tensors, with the mean length of their rows. */
private fun appendRows(features: List<Matrix>, rows: Matrix): List<Matrix> {
    val lengths = features.first().indices.map { row ->
        sqrt(features.sumOf { dot(it, row, it, row) })
    }
    for (row in rows.indices) scaleToLength(rows, row, lengths.average())
    var column = 0
    return features.map { matrix ->
        val part = Matrix.filled(rows.rows, matrix.columns)
        for (row in part.indices) part.setRow(row, rows.data, rows.start(row) + column)
        column += matrix.columns
        Matrix.stack(listOf(matrix, part))
    }
}
