/** The result of the signature `infer`. */

package org.sartor.results

import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.Matrix
import org.sartor.data.numbered
import org.sartor.data.volume

/**
 * What the model computes for one input.
 *
 * @property features one row of each features tensor.
 * @property outputs class name → output.
 * @property inDistribution whether the input is in-distribution; null without a detector.
 */
internal class Inference(
    val features: List<Matrix>,
    val outputs: Map<String, Float>,
    val inDistribution: Boolean?,
)

/** Return one row of each features tensor, from the outputs of `infer`. */
internal fun featuresOf(outputs: Map<String, FloatArray>, manifest: Manifest): List<Matrix> =
    manifest.features.mapIndexed { i, spec ->
        Matrix(outputs.getValue(numbered(Contract.FEATURES, i)), volume(spec.shape))
    }

/** Return the row of features of the head: behind tuned layers, if the file has them. */
internal fun headFeaturesOf(outputs: Map<String, FloatArray>, manifest: Manifest): List<Matrix> {
    val layers = manifest.layers ?: return featuresOf(outputs, manifest)
    return listOf(Matrix(outputs.getValue(Contract.HEAD_FEATURES), layers.features))
}
