/** Samples: the value of each input of the base, decoded at most once. */

package org.sartor.images

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.roundToInt
import org.sartor.DataError
import org.sartor.Input
import org.sartor.RandomNumbers
import org.sartor.contract.BY_CODE_POINT
import org.sartor.contract.Contract
import org.sartor.contract.InputSpec
import org.sartor.contract.TensorSpec
import org.sartor.contract.bytesOf
import org.sartor.contract.pack
import org.sartor.contract.sha256
import org.sartor.data.volume
import org.sartor.litert.Tensors
import org.sartor.litert.describe
import org.sartor.litert.fits

private const val THUMBNAIL = 48 // pixels per side

/**
 * A sample whose names fit the inputs of a base.
 *
 * @param specs specs of the base's inputs.
 * @param input a value, or a value for each name.
 * @throws DataError if the names or types do not fit the inputs.
 */
internal class LoadedSample(specs: List<InputSpec>, input: Input) {
    private val hasNames = input is Input.OfNames
    private val inputs =
        valuesByName(specs, input).map { (spec, value) -> LoadedInput(spec, value) }

    /** The SHA-256 of the content; see docs/contract.md. */
    val identity: ByteArray by lazy { computeIdentity() }

    /** Return the inputs of the base; throws DataError if a value does not fit. */
    fun tensors(): Tensors = inputs.associate { it.spec.name to it.tensor() }

    /**
     * Return augmented inputs. All images of a sample are cropped and lit in the same way.
     *
     * @param count number of augmentations.
     * @throws DataError if an input is not an image.
     */
    fun augmentations(count: Int): List<Tensors> {
        val seed = ByteBuffer.wrap(identity).order(ByteOrder.LITTLE_ENDIAN).getInt()
        val numbers = RandomNumbers(seed.toLong())
        return List(count) { i ->
            val augmentation = Augmentation.draw(numbers)
            inputs.associate { it.spec.name to it.augmented(augmentation, i + 1) }
        }
    }

    /** Return a thumbnail (PNG) of the first image, or null if no input is one. */
    fun thumbnail(): ByteArray? =
        inputs.firstOrNull { it.spec.modality == Contract.IMAGE }?.thumbnail()

    /**
     * Return the image file that another base can read: a file as it is, other images as PNG.
     *
     * @throws DataError if the sample is not one image.
     */
    fun photo(): ByteArray = inputs.singleOrNull()?.photo() ?: throw DataError(
        "only the photo of an image can be stored: open the model without photos",
    )

    private fun computeIdentity(): ByteArray {
        val first = inputs.first()
        if (!hasNames && first.spec.modality == Contract.IMAGE) return first.digest()
        val parts = inputs.sortedWith(compareBy(BY_CODE_POINT) { it.spec.name })
            .flatMap { listOf("${it.spec.name}\u0000".toByteArray(), it.digest()) }
        return sha256(*parts.toTypedArray())
    }
}

/** The value of one input of the base. */
private class LoadedInput(val spec: InputSpec, private val value: Input) {
    private val image = value as? Input.OfImage
    private val cropped by lazy {
        val upright = upright()
        val (height, width) = spec.shape.subList(1, 3)
        resize(upright, centerBox(upright.width, upright.height, width, height), width, height)
    }

    init {
        if (image != null && spec.modality != Contract.IMAGE) {
            throw DataError("${expects(spec)}; got an image")
        }
        if (value is Input.OfNames) throw DataError("${expects(spec)}; got values with names")
    }

    fun tensor(): Any = if (image == null) checkedValues() else normalize(spec, cropped)

    fun augmented(augmentation: Augmentation, number: Int): Any {
        if (image == null) {
            throw DataError("only images can be augmented, not an array of ${spec.name}")
        }
        val (height, width) = spec.shape.subList(1, 3)
        return normalize(spec, augmentation.apply(upright(), width, height, number))
    }

    fun digest(): ByteArray = when (value) {
        is Input.OfFile -> sha256(value.content)
        is Input.OfImage -> value.pixels.run {
            val shape =
                if (channels == 1) listOf(height, width) else listOf(height, width, channels)
            arrayDigest("uint8", shape, data)
        }
        else -> arrayDigest(spec.dtype, spec.shape, bytesOfValues(checkedValues()))
    }

    fun thumbnail(): ByteArray {
        val pixels = if (image == null) denormalize(spec, checkedValues()) else cropped
        val scale = minOf(1.0, THUMBNAIL.toDouble() / maxOf(pixels.width, pixels.height))
        val width = maxOf(1, (pixels.width * scale).roundToInt())
        val height = maxOf(1, (pixels.height * scale).roundToInt())
        return encodePng(resize(pixels, Box(0, 0, pixels.width, pixels.height), width, height))
    }

    fun photo(): ByteArray? = when (value) {
        is Input.OfFile -> value.content
        is Input.OfImage -> encodePng(value.pixels)
        else -> null
    }

    private fun upright(): Pixels = (image as Input.OfImage).pixels.onWhite(spec.shape[3])

    private fun checkedValues(): Any {
        val values = (value as Input.OfValues).values
        if (!fits(TensorSpec(spec.shape, spec.dtype), values)) {
            throw DataError("${expects(spec)}; got ${describe(values)}")
        }
        if (values is FloatArray && !values.all(Float::isFinite)) {
            throw DataError("${spec.name} contains values that are not finite (NaN or infinite)")
        }
        return values
    }
}

/**
 * Return the identity of a sample that the app identifies by a name, such as an asset ID.
 *
 * @throws DataError if the name is not printable text.
 */
internal fun identityOfName(name: String): ByteArray {
    if (NOT_PRINTABLE.containsMatchIn(name)) {
        throw DataError("a source must be a printable text; got '$name'")
    }
    return sha256("name\u0000$name".toByteArray())
}

private val NOT_PRINTABLE = Regex("[\\p{C}\\p{Zl}\\p{Zp}]")

private fun valuesByName(specs: List<InputSpec>, input: Input): List<Pair<InputSpec, Input>> {
    val values = (input as? Input.OfNames)?.inputs ?: mapOf(specs.first().name to input)
    val names = specs.map { it.name }
    if (values.keys != names.toSet()) {
        val got =
            if (input is Input.OfNames) values.keys.joinToString() else "one value without a name"
        throw DataError(
            "the inputs of the model are ${names.joinToString()}; got $got. Give a map of names " +
                "and values, with Input.ofNames",
        )
    }
    return specs.map { it to values.getValue(it.name) }
}

private fun arrayDigest(dtype: String, shape: List<Int>, data: ByteArray): ByteArray =
    sha256(pack(dtype, shape.size, *shape.toTypedArray()), data)

private fun bytesOfValues(values: Any): ByteArray = when (values) {
    is FloatArray -> bytesOf(values)
    is IntArray -> ByteBuffer.allocate(Int.SIZE_BYTES * values.size).order(ByteOrder.LITTLE_ENDIAN)
        .also { it.asIntBuffer().put(values) }.array()
    else -> values as ByteArray
}

private fun expects(spec: InputSpec): String {
    val image = if (spec.modality == Contract.IMAGE) "an image, or " else ""
    return "${spec.name} takes $image${spec.dtype} ${spec.shape}, ${volume(spec.shape)} values"
}
