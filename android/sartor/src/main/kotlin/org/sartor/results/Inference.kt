package org.sartor.results

import org.sartor.data.Matrix

/**
 * The result of the signature `infer`: what the model computes for one input.
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
