package org.sartor.confidence

import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.Batch
import org.sartor.data.Matrix
import org.sartor.data.evaluateBatches
import org.sartor.data.unlabelledDataset
import org.sartor.litert.Engine

/**
 * Set the temperature of a model whose classes are all imprinted and not trained.
 *
 * @param engine engine that holds the model.
 * @param manifest manifest of the model, a classifier.
 * @param means for each class by rising index, the mean of its samples: one row of each features
 *   tensor, or none if there are no samples. The first B means count.
 */
internal fun calibrate(engine: Engine, manifest: Manifest, means: List<List<Matrix>>) {
    val rows = manifest.features.indices.map { tensor ->
        Matrix.stack(means.map { it[tensor] }).first(manifest.batchSize)
    }
    if (rows.first().rows == 0) return
    val variables = engine.variables()
    val dataset = unlabelledDataset(manifest, rows)
    val outputs = evaluateBatches(engine, Batch(manifest), dataset).outputs
    val before = variables.getValue(Contract.TEMPERATURE)[0].toDouble()
    val temperature = defaultTemperature(outputs, before).toFloat()
    engine.restore(variables + (Contract.TEMPERATURE to floatArrayOf(temperature)))
}
