package org.sartor.confidence

import org.sartor.contract.Manifest
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.accuracy
import org.sartor.data.taskOf
import org.sartor.indicesOf

/**
 * Outputs for held-out rows.
 *
 * @param dataset N rows, none of which is held out yet.
 */
internal class HeldOutOutputs(dataset: Dataset) {
    /** Fold of each row, [N]; [NO_FOLD] if it was not held out. */
    val folds: IntArray = IntArray(dataset.rows) { NO_FOLD }

    /**
     * Output [N, C] for each held-out row, at temperature 1, from a model that was trained without
     * its fold. 0 for the other rows.
     */
    val outputs: Matrix = Matrix.filled(dataset.rows, dataset.targets.columns)

    /** Indices of the held-out rows. */
    val rows: IntArray get() = indicesOf(folds.size) { folds[it] >= 0 }

    /** Set the outputs for the rows of a fold. */
    fun set(fold: Int, rows: IntArray, values: Matrix) {
        rows.forEachIndexed { i, row ->
            folds[row] = fold
            outputs.setRow(row, values.data, values.start(i))
        }
    }

    /** Return the outputs of some of the rows, which are those of [dataset]. */
    fun take(rows: IntArray, dataset: Dataset): HeldOutOutputs {
        val part = HeldOutOutputs(dataset)
        rows.forEachIndexed { i, row ->
            part.folds[i] = folds[row]
            part.outputs.setRow(i, outputs.data, outputs.start(row))
        }
        return part
    }

    /** Return the accuracy on the held-out rows, over outputs of a weight above 0. */
    fun accuracy(manifest: Manifest, dataset: Dataset): Double {
        val rows = rows
        val targets = dataset.targets.take(rows)
        return accuracy(taskOf(manifest), outputs.take(rows), targets, dataset.weights.take(rows))
    }

    /** Return the mean log loss of the held-out rows at the best temperature. */
    fun loss(manifest: Manifest, dataset: Dataset): Double {
        val samples = labelled(manifest, dataset)
        return logLoss(samples, fitTemperature(samples, 1.0))
    }

    /** Return the outputs of the held-out rows with their targets; each sample counts once. */
    fun labelled(manifest: Manifest, dataset: Dataset): LabelledOutputs {
        val rows = rows
        val fractions = FloatArray(dataset.rows) { dataset.fractions[it].toFloat() }
        val weights = if (manifest.weightsPerOutput) dataset.weights else Matrix(fractions, 1)
        return LabelledOutputs(
            outputs.take(rows),
            dataset.targets.take(rows),
            weights.take(rows),
            manifest.weightsPerOutput,
        )
    }
}
