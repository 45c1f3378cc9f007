/** Write, change and delete rows of the tables, with their checksums. */

package org.sartor.store

import java.security.SecureRandom
import org.sartor.contract.Contract
import org.sartor.contract.checksum
import org.sartor.contract.hexadecimal

private const val KEY_BYTES = 16

/** Table → column with the ID of the sample. */
private val TABLES = mapOf(
    "sample" to "id",
    "features" to "sample",
    "target" to "sample",
    "image" to "sample",
)

/**
 * A valid sample that is to be stored.
 *
 * @property features Its features, and those of its augmentations.
 * @property rows Number of rows of features.
 * @property targets Class name → target.
 * @property source Hash that identifies the sample.
 * @property isHeldOut Whether it measures and does not train.
 * @property images Kind (`thumbnail`, `photo`) → image file.
 */
internal class NewSample(
    val features: EncodedFeatures,
    val rows: Int,
    val targets: Map<String, Double>,
    val source: ByteArray,
    val isHeldOut: Boolean,
    val images: Map<String, ByteArray>,
) {
    /** Size of the features and images, in bytes. */
    val size: Long get() =
        images.values.fold(features.data.size.toLong()) { sum, each -> sum + each.size }
}

/** Return the key of a new class, which no other class has. */
internal fun newKey(): String = hexadecimal(ByteArray(KEY_BYTES).also(SecureRandom()::nextBytes))

/**
 * Write a sample and return its ID; the caller holds a transaction.
 *
 * @param keys class name → key. A new class without one gets a new key.
 */
internal fun insertSample(database: Database, sample: NewSample, keys: Map<String, String>): Long {
    val id = database.run(
        "INSERT INTO sample (added, source, feature_rows, bytes, held_out, checksum) " +
            "VALUES (?, ?, ?, ?, ?, 0)",
        System.currentTimeMillis() / 1000.0,
        sample.source,
        sample.rows,
        sample.size,
        if (sample.isHeldOut) 1 else 0,
    )
    val (encoding, data) = sample.features.run { encoding to data }
    val sum = checksum(id, encoding, data)
    database.run("INSERT INTO features VALUES (?, ?, ?, ?)", id, encoding, data, sum)
    for ((kind, content) in sample.images) {
        val sumOfImage = checksum(id, kind, content)
        database.run("INSERT INTO image VALUES (?, ?, ?, ?)", id, kind, content, sumOfImage)
    }
    for ((name, value) in sample.targets) {
        val key = classId(database, name, keys[name])
        database.run("INSERT INTO target VALUES (?, ?, ?)", id, key, value)
    }
    updateChecksum(database, id)
    return id
}

/** Store a text of the app, or delete it; the caller holds a transaction. */
internal fun writeAppData(database: Database, key: String, text: String?) {
    database.run("DELETE FROM meta WHERE key = ?", Contract.STORE_APP + key)
    if (text != null) database.run("INSERT INTO meta VALUES (?, ?)", Contract.STORE_APP + key, text)
}

/**
 * Copy all samples of a store into an empty one, and replace the data of the app.
 *
 * The caller holds a transaction of the second one.
 */
internal fun copyAll(source: Database, database: Database) {
    for (key in readAppData(database, "").keys) writeAppData(database, key, null)
    for ((key, text) in readAppData(source, "")) writeAppData(database, key, text)
    copyRows(source, database, "class")
    copyRows(source, database, "sample")
    copyRows(source, database, "target")
    copyData(source, database, "features", listOf("sample", "encoding"))
    copyData(source, database, "image", listOf("sample", "kind"))
    writeRemoved(database, source.rows("SELECT key FROM removed_class").map { (key) -> "$key" })
    database.run("DELETE FROM removed_class WHERE key IN (SELECT key FROM class)")
}

/** Delete samples, and the classes without samples, which are recorded as removed. */
internal fun deleteSamples(database: Database, ids: Iterable<Long>) {
    deleteRows(database, ids)
    val keys = database.rows("SELECT key FROM class $EMPTY_CLASSES").map { (key) -> "$key" }
    writeRemoved(database, keys)
    database.run("DELETE FROM class $EMPTY_CLASSES")
}

/** Delete a sample because the store is full; the model keeps a class that lost its last one. */
internal fun evictSample(database: Database, id: Long) {
    deleteRows(database, listOf(id))
    database.run("DELETE FROM class $EMPTY_CLASSES")
}

/** Delete the targets of a class, and the samples without other targets. */
internal fun deleteTargets(database: Database, label: String) {
    val id = database.rows("SELECT id FROM class WHERE name = ?", label).first().first()
    val samples =
        database.rows("SELECT sample FROM target WHERE class = ?", id).map { it[0] as Long }
    database.run("DELETE FROM target WHERE class = ?", id)
    val (others, empty) = samples.partition {
        database.rows("SELECT 1 FROM target WHERE sample = ? LIMIT 1", it).isNotEmpty()
    }
    others.forEach { updateChecksum(database, it) }
    deleteSamples(database, empty)
}

/** Rename a class; the caller has checked both names. */
internal fun renameClass(database: Database, old: String, name: String) {
    val (id, key) = database.rows("SELECT id, key FROM class WHERE name = ?", old).first()
    val sum = checksum(id, key, name)
    database.run("UPDATE class SET name = ?, checksum = ? WHERE id = ?", name, sum, id)
}

/** Record that classes are removed, so that an older checkpoint does not bring them back. */
internal fun writeRemoved(database: Database, keys: Iterable<String>) {
    for (key in keys) database.run("INSERT OR IGNORE INTO removed_class VALUES (?)", key)
}

private const val EMPTY_CLASSES =
    "WHERE NOT EXISTS (SELECT 1 FROM target WHERE target.class = class.id)"

private fun deleteRows(database: Database, ids: Iterable<Long>) {
    for (id in ids) {
        for ((table, column) in TABLES) database.run("DELETE FROM $table WHERE $column = ?", id)
    }
}

/** Copy the rows of a table without large values. */
private fun copyRows(source: Database, database: Database, table: String) {
    for (row in source.rows("SELECT * FROM $table")) {
        val places = row.joinToString { "?" }
        database.run("INSERT INTO $table VALUES ($places)", *row.toTypedArray())
    }
}

/** Copy the rows of a table with large values: its key, the data and their checksum. */
private fun copyData(source: Database, database: Database, table: String, columns: List<String>) {
    val where = columns.joinToString(" AND ") { "$it = ?" }
    for (row in source.rows("SELECT ${columns.joinToString()}, checksum FROM $table")) {
        val key = row.dropLast(1).toTypedArray()
        val data = source.data(table, where, *key)
        database.run("INSERT INTO $table VALUES (?, ?, ?, ?)", *key, data, row.last())
    }
}

/** Return the ID of a class; a new class is written, with this key or a new one. */
private fun classId(database: Database, name: String, key: String?): Long {
    val row = database.rows("SELECT id FROM class WHERE name = ?", name).firstOrNull()
    if (row != null) return row.first() as Long
    val newKey = key ?: newKey()
    val id = database.run("INSERT INTO class (key, name, checksum) VALUES (?, ?, 0)", newKey, name)
    database.run("UPDATE class SET checksum = ? WHERE id = ?", checksum(id, newKey, name), id)
    return id
}

/** Write the checksum of a sample's row and targets. */
private fun updateChecksum(database: Database, id: Long) {
    val query = "SELECT id, added, source, feature_rows, bytes, held_out FROM sample WHERE id = ?"
    val targets =
        database.rows("SELECT class, value FROM target WHERE sample = ? ORDER BY class", id)
    val sum = sampleChecksum(database.rows(query, id).first(), targets)
    database.run("UPDATE sample SET checksum = ? WHERE id = ?", sum, id)
}
