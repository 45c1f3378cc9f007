package org.sartor.results

import org.sartor.DataError
import org.sartor.Evaluation
import org.sartor.contract.Manifest
import org.sartor.data.Batch
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.REGRESSION
import org.sartor.data.evaluateBatches
import org.sartor.litert.Engine

/**
 * An evaluation that takes one sample at a time, so that large data sets need little memory.
 *
 * @param engine engine that holds the model; its variables do not change.
 * @param manifest manifest of the model.
 * @param classIndices class name → class index, of all present classes.
 */
internal class Evaluator(
    private val engine: Engine,
    private val manifest: Manifest,
    private val classIndices: Map<String, Int>,
) {
    private val batch = Batch(manifest)
    private val outputs = ArrayList<Matrix>()
    private val targets = ArrayList<Matrix>()
    private val pendingFeatures = ArrayList<List<Matrix>>()
    private val pendingTargets = ArrayList<Matrix>()
    private var loss = 0.0

    /**
     * Add one sample.
     *
     * @param features one row of each features tensor.
     * @param sampleTargets class name → target; others are missing.
     */
    fun add(features: List<Matrix>, sampleTargets: Map<String, Double>) {
        val row = Matrix.filled(1, manifest.classes.size, Float.NaN)
        for ((name, target) in sampleTargets) row[0, classIndices.getValue(name)] = target.toFloat()
        pendingFeatures.add(features)
        pendingTargets.add(row)
        if (pendingTargets.size == batch.size) evaluatePending()
    }

    /**
     * Return the evaluation of all samples that were added.
     *
     * @throws DataError if no sample was added.
     */
    fun result(): Evaluation {
        evaluatePending()
        if (targets.isEmpty()) {
            throw DataError("there are no samples to evaluate on: give at least one")
        }
        val columns = classIndices.values.toIntArray()
        val labels = classIndices.keys.toList()
        val present = takeColumns(Matrix.stack(targets), columns)
        val predicted = takeColumns(Matrix.stack(outputs), columns)
        val metrics = metricsOf(manifest.task, Labelled(labels, predicted, present))
        return Evaluation(
            metrics.accuracy,
            loss / present.rows,
            present.rows,
            labels,
            metrics.perClass,
            metrics.confusion,
            metrics.calibrationError,
            metrics.absoluteError,
            labels.withIndex().associate { (i, label) -> label to support(present, i) },
        )
    }

    /** Evaluate the samples that wait for a full batch. */
    private fun evaluatePending() {
        if (pendingTargets.isEmpty()) return
        val missing = Matrix.stack(pendingTargets)
        val rows = missing.rows
        val weights = when {
            manifest.weightsPerOutput -> missing.map { target, _ -> if (target.isNaN()) 0f else 1f }
            else -> Matrix.filled(rows, 1, 1f)
        }
        val dataset = Dataset(
            manifest.features.indices.map { i -> Matrix.stack(pendingFeatures.map { it[i] }) },
            missing.map { target, _ -> if (target.isNaN()) 0f else target },
            weights,
            LongArray(rows) { it.toLong() },
            DoubleArray(rows) { 1.0 },
        )
        val result = evaluateBatches(engine, batch, dataset)
        loss += result.loss * rows
        outputs.add(result.outputs)
        targets.add(missing)
        pendingFeatures.clear()
        pendingTargets.clear()
    }

    /** Return the number of samples of a class, or with a value of it for a regression. */
    private fun support(targets: Matrix, column: Int): Int = targets.indices.count { row ->
        val target = targets[row, column]
        if (manifest.task == REGRESSION) !target.isNaN() else target > 0
    }
}

private fun takeColumns(matrix: Matrix, columns: IntArray): Matrix {
    val result = Matrix.filled(matrix.rows, columns.size)
    for (row in result.indices) {
        columns.forEachIndexed { i, column -> result[row, i] = matrix[row, column] }
    }
    return result
}
