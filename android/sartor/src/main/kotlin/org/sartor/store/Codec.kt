/** Features as bytes: the integers of a quantized base, or half precision. */

package org.sartor.store

import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.sqrt
import org.sartor.DataError
import org.sartor.contract.Contract
import org.sartor.contract.FeatureSpec
import org.sartor.data.Matrix
import org.sartor.data.volume

private const val HALF_ERROR = 1.0 / 2048 // relative error of a normal float16 number

/**
 * The features of a sample as bytes.
 *
 * @property encoding One letter for each features tensor.
 * @property data One row after another: a sample, then its augmentations.
 */
internal class EncodedFeatures(val encoding: String, val data: ByteArray)

/**
 * Encodes the features of a sample as bytes, and decodes them; see docs/contract.md.
 *
 * @param specs descriptions of the features tensors, from the manifest.
 */
internal class FeatureCodec(private val specs: List<FeatureSpec>) {
    /**
     * Return the features of a sample as bytes.
     *
     * @param features values of each features tensor, a row for the sample and each augmentation.
     * @throws DataError if a tensor has another size, or is not finite.
     */
    fun encode(features: List<Matrix>): EncodedFeatures {
        check(features)
        val encoding = specs.indices.joinToString("") { letterOf(specs[it], features[it]) }
        val rows = features.first().rows
        val bytes = ByteBuffer.allocate(rows * size(encoding)).order(ByteOrder.LITTLE_ENDIAN)
        for (row in 0 until rows) {
            specs.forEachIndexed { i, spec ->
                val type = numberType(spec, encoding[i].toString())
                val matrix = features[i]
                for (at in matrix.start(row) until matrix.start(row + 1)) {
                    type.write(bytes, matrix.data[at])
                }
            }
        }
        return EncodedFeatures(encoding, bytes.array())
    }

    /** Return the features of a sample: a matrix for each features tensor. */
    fun decode(encoded: EncodedFeatures): List<Matrix> {
        val rows = encoded.data.size / size(encoded.encoding)
        val bytes = ByteBuffer.wrap(encoded.data).order(ByteOrder.LITTLE_ENDIAN)
        val features = zeros(rows)
        for (row in 0 until rows) {
            specs.forEachIndexed { i, spec ->
                val type = numberType(spec, encoded.encoding[i].toString())
                val matrix = features[i]
                for (at in matrix.start(row) until matrix.start(row + 1)) {
                    matrix.data[at] = type.read(bytes)
                }
            }
        }
        return features
    }

    /** Number of features tensors. */
    val tensors: Int get() = specs.size

    /** Return a matrix of zeros for each features tensor. */
    fun zeros(rows: Int): List<Matrix> = specs.map { Matrix.filled(rows, volume(it.shape)) }

    /** Return features with the precision of the store. */
    fun round(features: List<Matrix>): List<Matrix> = decode(encode(features))

    /** Return whether a text is an encoding of these features tensors. */
    fun isValid(encoding: String): Boolean =
        encoding.length == specs.size && specs.indices.all { i ->
            val letter = encoding[i].toString()
            val isFloat = letter == Contract.STORE_FLOAT16 || letter == Contract.STORE_FLOAT32
            isFloat || (letter == Contract.STORE_INTEGER && isQuantized(specs[i]))
        }

    /** Return the bytes of one row. */
    fun size(encoding: String): Int = specs.indices.sumOf {
        numberType(specs[it], encoding[it].toString()).size * volume(specs[it].shape)
    }

    private fun check(features: List<Matrix>) {
        val rows = features.firstOrNull()?.rows ?: 0
        if (features.size != specs.size || rows == 0) {
            throw DataError("the model has ${specs.size} features tensors; got ${features.size}")
        }
        specs.forEachIndexed { i, spec ->
            val matrix = features[i]
            val size = volume(spec.shape)
            if (matrix.columns != size || matrix.data.size != rows * size) {
                val got = "got ${matrix.data.size} values"
                throw DataError("${spec.name} must have $size values; $got")
            }
            if (!matrix.data.all(Float::isFinite)) {
                throw DataError(
                    "${spec.name} has values that are not finite: the base cannot process this " +
                        "sample, so it is not stored",
                )
            }
        }
    }
}

/** Return the encoding of a tensor: the shortest that is precise. */
private fun letterOf(spec: FeatureSpec, matrix: Matrix): String {
    if (isQuantized(spec)) {
        val type = QuantizedType(spec)
        if (matrix.data.all(type::isExact)) return Contract.STORE_INTEGER
    }
    for (row in matrix.indices) {
        var lost = 0.0
        var square = 0.0
        for (at in matrix.start(row) until matrix.start(row + 1)) {
            val value = matrix.data[at]
            val error = fromHalf(toHalf(value)).toDouble() - value
            lost += error * error
            square += value.toDouble() * value
        }
        if (!(sqrt(lost) <= HALF_ERROR * sqrt(square))) return Contract.STORE_FLOAT32
    }
    return Contract.STORE_FLOAT16
}
