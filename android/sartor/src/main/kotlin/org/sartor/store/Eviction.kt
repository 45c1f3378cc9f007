/** Eviction of samples from a full store: near-duplicates of the largest class, or random ones. */

package org.sartor.store

import kotlin.math.sqrt
import org.sartor.DataError
import org.sartor.RandomNumbers
import org.sartor.StoredSample
import org.sartor.data.Matrix
import org.sartor.data.REGRESSION

private const val NEAR = 0.5 // near-duplicates are closer than this fraction of the median distance
private const val LATEST = 64 // samples compared with each other: near-duplicates come in bursts

/**
 * Limits of a store.
 *
 * @property maxSamples Largest number of samples; null for no limit.
 * @property maxBytes Largest size of all samples, in bytes; null for no limit.
 * @throws DataError if a limit is below 1.
 */
internal class Limits(val maxSamples: Long? = null, val maxBytes: Long? = null) {
    init {
        for ((name, limit) in mapOf("maxSamples" to maxSamples, "maxBytes" to maxBytes)) {
            if (limit != null && limit < 1) throw DataError("$name must be at least 1; got $limit")
        }
    }

    /** Return whether a store is above a limit. */
    fun isExceeded(count: Long, bytes: Long): Boolean =
        (maxSamples != null && count > maxSamples) || (maxBytes != null && bytes > maxBytes)
}

/**
 * Delete samples until the store is within its limits; the caller holds a transaction.
 *
 * @param database database of the store.
 * @param codec codec of the features.
 * @param newest ID of the sample that was just added; it is not evicted.
 * @param limits limits of the store.
 */
internal fun evict(database: Database, codec: FeatureCodec, newest: Long, limits: Limits) {
    var isFirst = true
    while (isOver(database, limits)) {
        val members = largestClass(database, newest)
        val pair =
            if (isFirst) nearDuplicates(database, codec, members.takeLast(LATEST)) else emptyList()
        isFirst = false
        val candidates = pair.ifEmpty { members }.map { it.id }.filter { it != newest }
        evictSample(database, candidates.minByOrNull { RandomNumbers(it).draw(1)[0] } ?: return)
    }
}

private fun isOver(database: Database, limits: Limits): Boolean {
    val (count, bytes) = database.rows("SELECT count(*), sum(bytes) FROM sample").first()
    return limits.isExceeded(count as Long, (bytes as Number).toLong())
}

/** Return the samples of the largest class with samples other than the newest. */
private fun largestClass(database: Database, newest: Long): List<StoredSample> {
    val samples = readSamples(database)
    if (database.task == REGRESSION) return samples
    val names = database.rows(
        "SELECT name FROM target JOIN class ON class.id = target.class WHERE value > 0 " +
            "GROUP BY class.id ORDER BY count(*) DESC, class.id",
    )
    return names.map { (name) -> samples.filter { (it.targets[name] ?: 0.0) > 0 } }
        .firstOrNull { members -> members.any { it.id != newest } } ?: samples
}

/** Return the two closest of these samples if they are near-duplicates, otherwise none. */
private fun nearDuplicates(
    database: Database,
    codec: FeatureCodec,
    members: List<StoredSample>,
): List<StoredSample> {
    if (members.size < 3) return emptyList()
    val rows = readFeatures(database, codec, members).map { features ->
        Matrix.concatenate(features.map { it.first(1) }).data // without augmentations
    }
    val pairs = rows.indices.flatMap { i -> (i + 1 until rows.size).map { i to it } }
    val distances = pairs.map { (i, j) -> distance(rows[i], rows[j]) }
    val closest = distances.indices.minBy { distances[it] }
    if (distances[closest] >= NEAR * distances.sorted()[distances.size / 2]) return emptyList()
    return pairs[closest].toList().map { members[it] }
}

/** Return the distance of two rows; the differences are float32. */
private fun distance(a: FloatArray, b: FloatArray): Double {
    var square = 0.0
    for (i in a.indices) {
        val difference = (a[i] - b[i]).toDouble()
        square += difference * difference
    }
    return sqrt(square)
}
