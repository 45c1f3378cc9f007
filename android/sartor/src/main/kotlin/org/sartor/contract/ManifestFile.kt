/** The manifest `sartor.json`: the description of a personalizable file, inside the file. */

package org.sartor.contract

import org.sartor.NotPersonalizableError

private val SUPPORTED = setOf(Contract.VARIABLE_TENSORS) // by LiteRT's Interpreter

/**
 * Read `sartor.json`; unknown keys are ignored.
 *
 * @throws NotPersonalizableError if the text is damaged or contradicts itself, has another version,
 *   or requires a feature that this library does not support.
 */
internal fun parseManifest(text: String): Manifest {
    val fields = Fields.parse(text, Contract.MANIFEST_FILE, ::NotPersonalizableError)
    val version = fields.int(Keys.CONTRACT)
    val requires = fields.strings(Keys.REQUIRES)
    checkSupport(version, requires)
    val manifest = Manifest(
        contract = version,
        inputs = fields.objects(Keys.INPUTS).map(::parseInput),
        features = fields.objects(Keys.FEATURES).map(::parseFeature),
        batchSize = fields.int(Keys.BATCH_SIZE, 1),
        classes = fields.optionalStrings(Keys.CLASSES),
        task = fields.oneOf(Keys.TASK, Contract.TASKS),
        weightsPerOutput = fields.boolean(Keys.WEIGHTS_PER_OUTPUT),
        head = parseHead(fields.fields(Keys.HEAD)),
        loss = parseLoss(fields.fields(Keys.LOSS)),
        optimizer = parseOptimizer(fields.fields(Keys.OPTIMIZER)),
        learningRate = fields.optionalNumber(Keys.LEARNING_RATE),
        weightDecay = fields.optionalNumber(Keys.WEIGHT_DECAY),
        variables = fields.objects(Keys.VARIABLES).map(::parseVariable),
        fingerprints = parseFingerprints(fields.fields(Keys.FINGERPRINTS)),
        layers = fields.optionalFields(Keys.LAYERS)?.let(::parseLayers),
        frozen = fields.optionalFields(Keys.FROZEN)?.let(::parseFrozen),
        requires = requires,
        generator = fields.string(Keys.GENERATOR),
        classKeys = when {
            fields.isMissing(Keys.CLASS_KEYS) -> null
            else -> fields.optionalStrings(Keys.CLASS_KEYS)
        },
        digest = fields.string(Keys.DIGEST),
    )
    val problem = contradiction(manifest) ?: return manifest
    throw NotPersonalizableError(
        "${Contract.MANIFEST_FILE} is damaged: $problem. Convert the base again.",
    )
}

private fun checkSupport(version: Int, requires: List<String>) {
    if (version != Contract.VERSION) {
        throw NotPersonalizableError(
            "the model needs contract version $version; this Sartor supports version " +
                "${Contract.VERSION}. Update Sartor, or convert the base again.",
        )
    }
    val missing = requires - SUPPORTED
    if (missing.isNotEmpty()) {
        throw NotPersonalizableError(
            "the model requires ${missing.joinToString()}, which this Sartor does not support: " +
                "update Sartor, or convert the base again.",
        )
    }
}
