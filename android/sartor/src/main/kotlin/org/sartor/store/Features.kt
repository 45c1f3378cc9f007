/** Read the features of samples, and compare their checksums. */

package org.sartor.store

import org.sartor.StoredSample
import org.sartor.contract.checksum
import org.sartor.data.Matrix

private const val SAMPLES_PER_QUERY = 100
private const val SMALL_DATA = 16384 // bytes: 100 of them fit into a cursor, which holds 2 MB

/**
 * Return the features of samples, one below the other: a matrix for each features tensor.
 *
 * @throws org.sartor.StoreError if they are damaged.
 */
internal fun readAllFeatures(
    database: Database,
    codec: FeatureCodec,
    samples: List<StoredSample>,
): List<Matrix> {
    val features = samples.chunked(SAMPLES_PER_QUERY).flatMap { readFeatures(database, codec, it) }
    return codec.zeros(0).mapIndexed { i, none ->
        Matrix.stack(listOf(none) + features.map { it[i] })
    }
}

/**
 * Return the features of samples, ordered by ID: for each a matrix for each features tensor.
 *
 * @throws org.sartor.StoreError if they are damaged.
 */
internal fun readFeatures(
    database: Database,
    codec: FeatureCodec,
    samples: List<StoredSample>,
): List<List<Matrix>> {
    if (samples.isEmpty()) return emptyList()
    val query = "SELECT sample, encoding, checksum, CASE WHEN typeof(data) = 'blob' AND " +
        "length(data) <= ? THEN data END FROM features WHERE sample BETWEEN ? AND ?"
    val rows = database.rows(query, SMALL_DATA, samples.first().id, samples.last().id)
        .associateBy { it.first() }
    return samples.map {
        decodeFeatures(database, codec, it, encodedOf(database, codec, it, rows[it.id]))
    }
}

/**
 * Return the encoded features of a sample; null if it is not in the store.
 *
 * @throws org.sartor.StoreError if they are damaged.
 */
internal fun readEncoded(
    database: Database,
    codec: FeatureCodec,
    sample: StoredSample,
): EncodedFeatures? {
    val query = "SELECT sample, encoding, checksum, NULL FROM features WHERE sample = ?"
    val row = database.rows(query, sample.id).firstOrNull()
    val isMissing = row == null &&
        database.rows("SELECT 1 FROM sample WHERE id = ?", sample.id).isEmpty()
    return if (isMissing) null else encodedOf(database, codec, sample, row)
}

/**
 * Return rows of the features of a sample: a matrix for each features tensor.
 *
 * @throws org.sartor.StoreError if they are not finite.
 */
internal fun decodeFeatures(
    database: Database,
    codec: FeatureCodec,
    sample: StoredSample,
    encoded: EncodedFeatures,
): List<Matrix> {
    val features = codec.decode(encoded)
    if (!features.all { matrix -> matrix.data.all(Float::isFinite) }) {
        throw damaged(database.name, "the features of sample ${sample.id} are not finite")
    }
    return features
}

/** Return the encoded features of a row: sample, encoding, checksum, and data if they are short. */
private fun encodedOf(
    database: Database,
    codec: FeatureCodec,
    sample: StoredSample,
    row: Row?,
): EncodedFeatures {
    val id = sample.id
    val (_, encoding, stored) = row ?: listOf(id, null, null)
    val data = row?.get(3) as ByteArray? ?: database.data("features", "sample = ?", id)
    val isValid = encoding is String && data != null && codec.isValid(encoding) &&
        data.size.toLong() == codec.size(encoding).toLong() * sample.rows &&
        checksum(id, encoding, data) == stored
    if (!isValid) throw damaged(database.name, "the features of sample $id have changed")
    return EncodedFeatures(encoding as String, data as ByteArray)
}
