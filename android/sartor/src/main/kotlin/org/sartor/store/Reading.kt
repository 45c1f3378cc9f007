/** Read samples, features and images from the tables, and compare their checksums. */

package org.sartor.store

import java.util.Date
import org.sartor.DataError
import org.sartor.StoredSample
import org.sartor.contract.Contract
import org.sartor.contract.checksum
import org.sartor.contract.hexadecimal
import org.sartor.data.Matrix

private const val MOST_ROWS = 1_000_000L // of features of one sample
private const val LARGEST_TIME = 8.64e12 // seconds, of any date in every language

/** Return the checksum of a sample: its row without the checksum, and pairs (class, value). */
internal fun sampleChecksum(row: Row, targets: List<Row>): Long {
    val (id, added, source, rows, bytes) = row
    val fields = targets.flatMap { (key, value) -> listOf(key, value) }
    return checksum(id, added, source, rows, bytes, row[5], *fields.toTypedArray())
}

/** Return class ID → name, in the order of their first samples. */
internal fun readClasses(database: Database): Map<Long, String> {
    val rows = database.rows("SELECT id, key, name, checksum FROM class ORDER BY id")
    return rows.associate { (id, key, name, stored) ->
        if (key !is String || name !is String || checksum(id, key, name) != stored) {
            throw damaged(database.name, "the name of class $id has changed")
        }
        id as Long to name
    }
}

/** Return class key → name, or null for a removed class. */
internal fun readClassKeys(database: Database): Map<String, String?> {
    val names = readClasses(database)
    val keys = LinkedHashMap<String, String?>()
    for ((key) in database.rows("SELECT key FROM removed_class")) keys["$key"] = null
    for ((id, key) in database.rows("SELECT id, key FROM class")) keys["$key"] = names[id]
    return keys
}

/** Return the texts of the app whose keys start with a prefix: key → text. */
internal fun readAppData(database: Database, prefix: String): Map<String, String> {
    val start = Contract.STORE_APP + prefix
    val query = "SELECT key, value FROM meta WHERE substr(key, 1, ?) = ? ORDER BY key"
    return database.rows(query, start.codePointCount(0, start.length), start)
        .filter { (_, text) -> text is String }
        .associate { (key, text) -> "$key".removePrefix(Contract.STORE_APP) to "$text" }
}

/**
 * Return all samples ordered by ID, or one.
 *
 * @throws org.sartor.StoreError if a row is damaged.
 */
internal fun readSamples(database: Database, sample: Long? = null): List<StoredSample> {
    val classes = readClasses(database)
    val values = listOfNotNull(sample).toTypedArray<Any?>()
    fun where(column: String) = if (sample == null) "" else "WHERE $column = ?"
    val targetQuery = "SELECT sample, class, value FROM target ${where("sample")} ORDER BY 1, 2"
    val targets = database.rows(targetQuery, *values)
        .groupByTo(LinkedHashMap(), { it[0] }, { it.drop(1) })
    val query = "SELECT id, added, source, feature_rows, bytes, held_out, checksum FROM sample " +
        "${where("id")} ORDER BY 1"
    val samples = database.rows(query, *values).map { row ->
        sampleOf(database, classes, row, targets.remove(row[0]).orEmpty())
    }
    val orphan = targets.keys.firstOrNull() ?: return samples
    throw damaged(database.name, "sample $orphan is missing")
}

/** Return samples as arrays, with their features; see [SampleSet]. */
internal fun readSampleSet(
    database: Database,
    samples: List<StoredSample>,
    features: List<Matrix>,
): SampleSet {
    val classes = readClasses(database).values.toList()
    val rows = samples.sumOf { it.rows }
    val owners = LongArray(rows)
    val targets = Matrix.filled(rows, maxOf(1, classes.size), Float.NaN)
    var at = 0
    for (sample in samples) {
        repeat(sample.rows) {
            owners[at] = sample.id
            classes.forEachIndexed { column, name ->
                sample.targets[name]?.let { targets[at, column] = it.toFloat() }
            }
            at += 1
        }
    }
    return SampleSet(features, owners, targets, classes)
}

/** Return a thumbnail or photo, or null if the sample has none. */
internal fun readImage(database: Database, sample: Long, kind: String): ByteArray? {
    val query = "SELECT checksum, length(data) FROM image WHERE sample = ? AND kind = ?"
    val (stored, size) = database.rows(query, sample, kind).firstOrNull() ?: return null
    val isReadable = size is Long && size <= Contract.STORE_MAX_IMAGE_BYTES
    val data =
        if (isReadable) database.data("image", "sample = ? AND kind = ?", sample, kind) else null
    if (data == null || checksum(sample, kind, data) != stored) {
        throw damaged(database.name, "the $kind of sample $sample has changed")
    }
    return data
}

private fun sampleOf(
    database: Database,
    classes: Map<Long, String>,
    row: Row,
    targets: List<Row>,
): StoredSample {
    val (id, added, source, rows) = row
    val heldOut = row[5]
    val isValid = id is Long &&
        added is Double &&
        (source == null || source is ByteArray) &&
        rows is Long && rows in 1..MOST_ROWS &&
        (heldOut == 0L || heldOut == 1L) &&
        targets.all { (key, value) -> value is Double && key in classes } &&
        sampleChecksum(row, targets) == row[6]
    if (!isValid) throw damaged(database.name, "sample $id has changed")
    val named =
        targets.associate { (key, value) -> classes.getValue(key as Long) to value as Double }
    try {
        checkTargets(database.task, named)
    } catch (error: DataError) {
        throw damaged(database.name, "sample $id: ${error.message}")
    }
    val time = (added as Double).coerceIn(-LARGEST_TIME, LARGEST_TIME)
    return StoredSample(
        id = id as Long,
        targets = named,
        added = Date((time * 1000).toLong()),
        isHeldOut = heldOut == 1L,
        rows = (rows as Long).toInt(),
        source = (source as ByteArray?)?.let(::hexadecimal),
    )
}
