/** The signatures of a personalizable file: names, shapes and types of their inputs and outputs. */

package org.sartor.contract

import org.sartor.data.numbered

private const val FLOAT32 = "float32"

/**
 * The shape and type of an input or output of a signature.
 *
 * @property shape Exact shape, of rank 1 or more.
 * @property dtype `float32`, `int32` or `uint8`.
 */
public data class TensorSpec(public val shape: List<Int>, public val dtype: String) {
    override fun toString(): String = "$dtype $shape"
}

/** Name → shape and type. */
internal typealias TensorSpecs = Map<String, TensorSpec>

/** The inputs and outputs of a signature. */
internal class Signature(val inputs: TensorSpecs, val outputs: TensorSpecs)

/** Return the name of a signature for the head alone. */
internal fun headSignature(key: String): String = "${key}_head"

/** Return the manifest of the head alone; without tuned layers, this manifest. */
internal fun Manifest.ofHead(): Manifest {
    val layers = layers ?: return this
    val shape = listOf(layers.features)
    return copy(
        features = listOf(FeatureSpec(Contract.FEATURES, shape, FLOAT32, null, null)),
        head = head.copy(featureNorm = layers.featureNorm),
        layers = null,
    )
}

/** Return the inputs and outputs of each signature of a file. */
internal fun signatures(manifest: Manifest): Map<String, Signature> {
    val plain = plainSignatures(manifest)
    val layers = manifest.layers ?: return plain
    val behind = mapOf(Contract.HEAD_FEATURES to float32(1, layers.features))
    val head = plainSignatures(manifest.ofHead())
    val infer = plain.getValue("infer")
    val sample = manifest.features.indices.map { numbered(Contract.FEATURES, it) }
    return plain +
        Contract.HEAD_SIGNATURES.associate { headSignature(it) to head.getValue(it) } +
        mapOf(
            "infer" to Signature(infer.inputs, infer.outputs + behind),
            Contract.RUN_LAYERS to Signature(infer.outputs.filterKeys { it in sample }, behind),
        )
}

private fun plainSignatures(manifest: Manifest): Map<String, Signature> {
    val batch = manifest.batchSize
    val capacity = manifest.classes.size
    fun rows(count: Int): TensorSpecs = manifest.features.withIndex().associate { (i, spec) ->
        numbered(Contract.FEATURES, i) to float32(listOf(count) + spec.shape)
    }
    val output = float32(batch, capacity)
    val weights = mapOf(Contract.SAMPLE_WEIGHTS to float32(batch))
    val samples = rows(batch) + mapOf(Contract.LABELS to output) +
        (if (manifest.weightsPerOutput) mapOf(Contract.SAMPLE_WEIGHTS to output) else weights)
    val results = mapOf(Contract.LOSS to float32(1), Contract.OUTPUT to output)
    val state = manifest.variables.associate { it.name to float32(it.shape) }
    val run = mapOf(Contract.RUN to float32(1))
    val done = mapOf(Contract.DONE to float32(1))
    return mapOf(
        "infer" to Signature(
            manifest.inputs.associate { it.name to TensorSpec(it.shape, it.dtype) },
            mapOf(Contract.OUTPUT to float32(1, capacity)) + rows(1),
        ),
        "train" to Signature(samples + mapOf(Contract.LEARNING_RATE to float32(1)), results),
        "evaluate" to Signature(samples, results),
        "set_class" to Signature(
            rows(batch) + weights +
                mapOf(Contract.CLASS_ONE_HOT to float32(capacity), Contract.ACTIVE to float32(1)),
            done,
        ),
        "save" to Signature(run, state),
        "restore" to Signature(state, done),
        "initialize" to Signature(run, done),
    )
}

private fun float32(vararg shape: Int): TensorSpec = TensorSpec(shape.asList(), FLOAT32)

private fun float32(shape: List<Int>): TensorSpec = TensorSpec(shape, FLOAT32)
