/** The head of a file with tuned layers, as an engine of its own. */

package org.sartor.litert

import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.contract.headSignature
import org.sartor.data.Matrix
import org.sartor.data.numbered
import org.sartor.store.readRows
import org.sartor.store.rowsOf

/**
 * An engine whose `train`, `evaluate` and `set_class` are those of the head behind tuned layers.
 *
 * They take the features that the layers compute. The variables are those of the whole file.
 *
 * @param engine engine of a file with tuned layers.
 */
private class HeadEngine(private val engine: Engine) : Engine by engine {
    override fun run(key: String, inputs: Tensors): Map<String, FloatArray> =
        engine.run(if (key in Contract.HEAD_SIGNATURES) headSignature(key) else key, inputs)

    override fun copy(): Engine = HeadEngine(engine.copy())
}

/**
 * Return the engine of the head: the same one in a file without tuned layers.
 *
 * Its features are described by `Manifest.ofHead`.
 */
internal fun headEngine(engine: Engine, manifest: Manifest): Engine =
    if (manifest.layers == null) engine else HeadEngine(engine)

/**
 * Return the features of the head: the same ones in a file without tuned layers.
 *
 * @param engine engine of the file.
 * @param manifest manifest of the file.
 * @param features rows of each features tensor of the file; those in a store are read one by one.
 */
internal fun headFeatures(
    engine: Engine,
    manifest: Manifest,
    features: List<Matrix>,
): List<Matrix> {
    val layers = manifest.layers ?: return features
    val result = Matrix.filled(rowsOf(features), layers.features)
    for (row in result.indices) {
        val inputs = readRows(features, intArrayOf(row)).withIndex().associate { (i, each) ->
            numbered(Contract.FEATURES, i) to each.data
        }
        val outputs = engine.run(Contract.RUN_LAYERS, inputs)
        result.setRow(row, outputs.getValue(Contract.HEAD_FEATURES))
    }
    return listOf(result)
}
