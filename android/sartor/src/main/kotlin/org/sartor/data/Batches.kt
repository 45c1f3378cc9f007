package org.sartor.data

import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.litert.Engine
import org.sartor.store.StoredFeatures
import org.sartor.sum

/**
 * Input tensors of one batch, which are allocated once and filled for each batch.
 *
 * @param manifest manifest of the model.
 */
internal class Batch(manifest: Manifest) {
    /** B, the number of rows. */
    val size: Int = manifest.batchSize

    private val features = manifest.features.map { FloatArray(size * volume(it.shape)) }
    private val labels = FloatArray(size * manifest.classes.size)
    private val weights =
        FloatArray(size * if (manifest.weightsPerOutput) manifest.classes.size else 1)
    private val rowWeights = FloatArray(size)

    private val featureInputs = features.withIndex().associate { (i, array) ->
        numbered(Contract.FEATURES, i) to array
    }
    private val labelledInputs = featureInputs +
        mapOf(Contract.LABELS to labels, Contract.SAMPLE_WEIGHTS to weights)
    private val classInputs = featureInputs + (Contract.SAMPLE_WEIGHTS to rowWeights)

    /**
     * Return the inputs `features`, `labels` and `sample_weights` of `train` and `evaluate`.
     *
     * @param dataset N rows.
     * @param rows indices of at most B rows. Further rows of the batch are 0, and so are rows of
     *   samples that were deleted from the store, except their labels.
     */
    fun labelledInputs(dataset: Dataset, rows: IntArray): Map<String, FloatArray> {
        fill(labels, dataset.targets, rows)
        fill(weights, dataset.weights, rows)
        val stored = dataset.features
        if (stored is StoredFeatures) fillStored(stored, rows) else fillFeatures(stored, rows)
        return labelledInputs
    }

    /**
     * Return the inputs `features` and `sample_weights` of `set_class`.
     *
     * @param matrices at most B rows of each features tensor.
     */
    fun classInputs(matrices: List<Matrix>): Map<String, FloatArray> {
        val rows = matrices.first().rows
        rowWeights.fill(1f, 0, rows)
        rowWeights.fill(0f, rows)
        fillFeatures(matrices, IntArray(rows) { it })
        return classInputs
    }

    private fun fillStored(stored: StoredFeatures, rows: IntArray) {
        val batch = stored.read(rows)
        fillFeatures(batch.features, IntArray(rows.size) { it })
        val columns = weights.size / size
        for (row in rows.indices) {
            if (!batch.isStored[row]) weights.fill(0f, row * columns, (row + 1) * columns)
        }
    }

    private fun fillFeatures(matrices: List<Matrix>, rows: IntArray) {
        matrices.forEachIndexed { i, matrix -> fill(features[i], matrix, rows) }
    }
}

/** The mean loss of samples, and their outputs [N, C]. */
internal class EvaluatedBatches(val loss: Double, val outputs: Matrix)

/**
 * Evaluate a model on a data set, batch by batch.
 *
 * @param engine engine that holds the model; its variables do not change.
 * @param batch input tensors to use.
 * @param dataset N rows, N at least 1.
 * @return the weighted mean of the loss, and the outputs [N, C].
 */
internal fun evaluateBatches(engine: Engine, batch: Batch, dataset: Dataset): EvaluatedBatches {
    val weights = dataset.weights
    val outputs = Matrix.filled(dataset.rows, dataset.targets.columns)
    var loss = 0.0
    for (start in 0 until dataset.rows step batch.size) {
        val rows = IntArray(minOf(batch.size, dataset.rows - start)) { start + it }
        val inputs = batch.labelledInputs(dataset, rows)
        val present = inputs.getValue(Contract.SAMPLE_WEIGHTS).copyOf(rows.size * weights.columns)
        val result = engine.run("evaluate", inputs)
        loss += result.getValue(Contract.LOSS)[0] * sum(present)
        val values = result.getValue(Contract.OUTPUT)
        System.arraycopy(values, 0, outputs.data, outputs.start(start), outputs.start(rows.size))
    }
    return EvaluatedBatches(loss / sum(weights.data), outputs)
}

/** Return the name of one of several tensors: `features`, `features_1` and so on. */
internal fun numbered(name: String, index: Int): String = if (index == 0) name else "${name}_$index"

/** Return the number of values of a tensor. */
internal fun volume(shape: List<Int>): Int = shape.fold(1) { product, size -> product * size }

/** Copy rows of a matrix into the first rows of a batch, and set the others to 0. */
private fun fill(batch: FloatArray, matrix: Matrix, rows: IntArray) {
    val columns = matrix.columns
    for (i in rows.indices) {
        System.arraycopy(matrix.data, matrix.start(rows[i]), batch, i * columns, columns)
    }
    batch.fill(0f, rows.size * columns)
}
