package org.sartor.store

import java.util.concurrent.locks.Lock
import kotlin.concurrent.withLock
import org.sartor.StoredSample
import org.sartor.data.Matrix
import org.sartor.indicesOf

/**
 * Features of N rows in a store; [read] returns some of them.
 *
 * In a file with tuned layers, the features of a sample are ten thousand to two hundred thousand
 * numbers: those of all samples do not fit in the memory of a small device. As a list, this is a
 * matrix for each features tensor, with all rows in memory.
 *
 * The rows stay those at the time of the creation. A row of a sample that was deleted since is
 * zeros.
 *
 * @param database database of the store.
 * @param codec codec of the features.
 * @param lock guards the database.
 * @param samples sample of each row, [N].
 * @param places place of each row among those of its sample, [N].
 */
internal class StoredFeatures private constructor(
    private val database: Database,
    private val codec: FeatureCodec,
    private val lock: Lock,
    private val samples: List<StoredSample>,
    private val places: IntArray,
) : AbstractList<Matrix>() {
    /** Number of features tensors. */
    override val size: Int get() = codec.tensors

    /** Number of rows. */
    val rows: Int get() = places.size

    override fun get(index: Int): Matrix = read(IntArray(rows) { it }).features[index]

    /** Return some of the rows, without reading them. */
    fun take(rows: IntArray): StoredFeatures = StoredFeatures(
        database,
        codec,
        lock,
        rows.map { samples[it] },
        IntArray(rows.size) { places[rows[it]] },
    )

    /**
     * Return rows from the store.
     *
     * @param rows indices of n rows.
     * @throws org.sartor.StoreError if the features of a sample are damaged.
     */
    fun read(rows: IntArray): StoredRows = lock.withLock {
        val features = codec.zeros(rows.size)
        val isStored = BooleanArray(rows.size) { i ->
            val decoded = rowOf(rows[i])
            decoded?.forEachIndexed { tensor, matrix -> features[tensor].setRow(i, matrix.data) }
            decoded != null
        }
        StoredRows(features, isStored)
    }

    /** Return the indices of the rows whose samples are still in the store. */
    fun present(): IntArray = lock.withLock {
        val ids = database.rows("SELECT id FROM sample").mapTo(HashSet()) { it.first() }
        indicesOf(rows) { samples[it].id in ids }
    }

    private fun rowOf(row: Int): List<Matrix>? {
        val sample = samples[row]
        val encoded = readEncoded(database, codec, sample) ?: return null
        val size = encoded.data.size / sample.rows
        val data = encoded.data.copyOfRange(size * places[row], size * (places[row] + 1))
        val own = EncodedFeatures(encoded.encoding, data)
        return decodeFeatures(database, codec, sample, own)
    }

    companion object {
        /** Return the features of samples, in their order. */
        fun ofSamples(
            database: Database,
            codec: FeatureCodec,
            lock: Lock,
            samples: List<StoredSample>,
        ): StoredFeatures {
            val owners = samples.flatMap { sample -> List(sample.rows) { sample } }
            val places = samples.flatMap { sample -> List(sample.rows) { it } }
            return StoredFeatures(database, codec, lock, owners, places.toIntArray())
        }
    }
}

/**
 * Rows of a store.
 *
 * @property features n rows of each features tensor.
 * @property isStored whether the sample of each row is in the store, [n].
 */
internal class StoredRows(val features: List<Matrix>, val isStored: BooleanArray)

/** Return some of the rows of each features tensor; those of a store are not read. */
internal fun takeRows(features: List<Matrix>, rows: IntArray): List<Matrix> =
    if (features is StoredFeatures) features.take(rows) else features.map { it.take(rows) }

/** Return some of the rows of each features tensor, in memory. */
internal fun readRows(features: List<Matrix>, rows: IntArray): List<Matrix> =
    if (features is StoredFeatures) features.read(rows).features else features.map { it.take(rows) }

/** Return the number of rows of each features tensor. */
internal fun rowsOf(features: List<Matrix>): Int =
    if (features is StoredFeatures) features.rows else features.first().rows
