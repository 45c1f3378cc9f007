/** Reading the parts of the manifest from JSON; each field is checked. */

package org.sartor.contract

import org.json.JSONArray
import org.json.JSONObject

private val INPUT_TYPES = listOf("float32", "int32", "uint8")

/** Return one item of `inputs`. */
internal fun parseInput(item: Fields): InputSpec = InputSpec(
    name = item.string(Keys.NAME),
    shape = item.shape(Keys.SHAPE),
    dtype = item.oneOf(Keys.DTYPE, INPUT_TYPES),
    modality = item.oneOf(Keys.MODALITY, Contract.MODALITIES),
    mean = item.numbers(Keys.MEAN),
    std = item.numbers(Keys.STD),
)

/** Return one item of `features`. */
internal fun parseFeature(item: Fields): FeatureSpec = FeatureSpec(
    name = item.string(Keys.NAME),
    shape = item.shape(Keys.SHAPE),
    dtype = item.string(Keys.DTYPE),
    scale = item.optionalNumber(Keys.SCALE),
    zeroPoint = item.optionalInt(Keys.ZERO_POINT),
)

/** Return one item of `variables`. */
internal fun parseVariable(item: Fields): VariableSpec = VariableSpec(
    name = item.string(Keys.NAME),
    shape = item.shape(Keys.SHAPE),
    role = item.oneOf(Keys.ROLE, Contract.ROLES),
    classAxis = item.optionalInt(Keys.CLASS_AXIS, 0),
    parameter = item.optionalString(Keys.PARAMETER),
    offset = item.integer(Keys.OFFSET, 0),
    rate = item.optionalNumber(Keys.RATE),
)

/** Return `head`. */
internal fun parseHead(item: Fields): HeadSpec = HeadSpec(
    name = item.string(Keys.NAME),
    settings = plainMap(item.fields(Keys.SETTINGS).values),
    featureNorm = item.optionalNumber(Keys.FEATURE_NORM),
)

/** Return `layers`. */
internal fun parseLayers(item: Fields): LayersSpec = LayersSpec(
    features = item.int(Keys.FEATURES, 1),
    featureNorm = item.optionalNumber(Keys.FEATURE_NORM),
)

/** Return `loss`. */
internal fun parseLoss(item: Fields): LossSpec = LossSpec(
    name = item.string(Keys.NAME),
    settings = plainMap(item.fields(Keys.SETTINGS).values),
    curvature = item.number(Keys.CURVATURE),
)

/** Return `optimizer`. */
internal fun parseOptimizer(item: Fields): OptimizerSpec = OptimizerSpec(
    name = item.string(Keys.NAME),
    settings = plainMap(item.fields(Keys.SETTINGS).values),
    step = parseStep(item.fields(Keys.STEP)),
    clipNorm = item.optionalNumber(Keys.CLIP_NORM),
)

/** Return `fingerprints`. */
internal fun parseFingerprints(item: Fields): Fingerprints = Fingerprints(
    base = item.string(Keys.BASE),
    head = item.string(Keys.HEAD),
    optimizer = item.string(Keys.OPTIMIZER),
)

/** Return `frozen`. */
internal fun parseFrozen(item: Fields): FrozenSpec = FrozenSpec(
    offset = item.integer(Keys.OFFSET, 0),
    classCounts = item.shape(Keys.CLASS_COUNTS),
)

private fun parseStep(item: Fields): StepSpec = StepSpec(
    adaptive = item.boolean(Keys.ADAPTIVE),
    momentum = item.number(Keys.MOMENTUM),
    nesterov = item.boolean(Keys.NESTEROV),
    first = item.optionalFields(Keys.FIRST)?.let(::parseFirst),
)

private fun parseFirst(item: Fields): FirstStep = FirstStep(
    factor = item.number(Keys.FACTOR),
    state = item.optionalString(Keys.STATE),
    power = item.int(Keys.POWER, 1),
)

/** Return a JSON object as a map of strings, numbers, booleans, lists, maps and nulls. */
private fun plainMap(values: JSONObject): Map<String, Any?> =
    values.keys().asSequence().associateWith { plain(values.get(it)) }

private fun plain(value: Any): Any? = when (value) {
    JSONObject.NULL -> null
    is JSONObject -> plainMap(value)
    is JSONArray -> List(value.length()) { plain(value.get(it)) }
    else -> value
}
