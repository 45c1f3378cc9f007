package org.sartor.store

import android.database.SQLException
import android.database.sqlite.SQLiteDatabase
import java.io.File
import org.sartor.StoreError
import org.sartor.contract.Contract

private const val BLOB_CHUNK = 1 shl 20 // bytes: a cursor holds 2 MB

private val SETTINGS = listOf(
    "page_size=8192", // of a new file
    "synchronous=FULL",
    "secure_delete=ON",
    "cell_size_check=ON",
    "trusted_schema=OFF",
)

/**
 * One database of samples: checked, in complete transactions.
 *
 * Its methods run one at a time: the caller holds a lock.
 *
 * @param file the file, which is created if it does not exist; null stores in memory.
 * @property name Name for messages.
 * @param base fingerprint of the base that computes the features.
 * @property task Task of the model, which the targets must fit.
 * @param create whether an empty database becomes a store. Default: true.
 * @throws StoreError if the file is damaged, not a store, of another version, or of another base.
 */
internal class Database(
    private val file: File?,
    val name: String,
    base: String,
    val task: String,
    create: Boolean = true,
) : AutoCloseable {
    private var connection = translated(name) { connect() }
    private var place: Place? = null // after the file has got its log
    private var depth = 0
    private var isEraseDue = false
    private var version: Any? = null // of the last `changedElsewhere`

    init {
        try {
            translated(name) { prepare(base, create) }
            place = file?.let { Place(it, name) }
        } catch (error: RuntimeException) {
            connection.close()
            throw error
        }
    }

    /**
     * Run a function in a transaction: all of its changes are written, or none.
     *
     * @throws StoreError if the store is damaged, or its file was deleted.
     * @throws org.sartor.StorageError if the storage is full.
     */
    fun <T> writing(change: () -> T): T {
        if (depth > 0) return change()
        place?.check()
        translated(name) { connection.beginTransactionNonExclusive() }
        depth = 1
        val result = try {
            change()
        } catch (error: Throwable) {
            rollBack()
            throw error
        } finally {
            depth = 0
        }
        commit()
        place?.check() // before the change is acknowledged
        erase()
        return result
    }

    /** Return all rows of a query. */
    fun rows(query: String, vararg values: Any?): List<Row> =
        translated(name) { connection.rows(query, *values) }

    /** Return whether another connection has changed the file since the last call. */
    fun changedElsewhere(): Boolean {
        val before = version
        version = rows("PRAGMA data_version").first().first()
        return version != before
    }

    /** Run a statement, and return the ID of the last inserted row. */
    fun run(statement: String, vararg values: Any?): Long =
        translated(name) { connection.run(statement, *values) }

    /**
     * Return the BLOB `data` of one row in parts that fit into a cursor; null if it is no BLOB.
     *
     * @param table name of the table.
     * @param where condition that selects the row.
     * @param values values of the condition.
     */
    fun data(table: String, where: String, vararg values: Any?): ByteArray? {
        val (type, size) =
            rows("SELECT typeof(data), length(data) FROM $table WHERE $where", *values)
            .firstOrNull() ?: return null
        if (type != "blob" || (size as Long) > Int.MAX_VALUE) return null
        val data = ByteArray(size.toInt())
        for (start in data.indices step BLOB_CHUNK) {
            val query = "SELECT substr(data, ?, ?) FROM $table WHERE $where"
            val chunk = rows(query, start + 1, BLOB_CHUNK, *values).first().first() as ByteArray
            chunk.copyInto(data, start)
        }
        return data
    }

    /** Overwrite the deleted bytes after the transaction; call it within [writing]. */
    fun eraseAfter() {
        run("INSERT OR REPLACE INTO meta VALUES (?, '')", Contract.STORE_ERASE)
        isEraseDue = true
    }

    /** Put the content into one file without a log; nothing may be written afterwards. */
    fun endLog() {
        rows("PRAGMA journal_mode=DELETE")
    }

    /** Close the file; later calls throw StoreError. May be called again. */
    override fun close() {
        connection.close()
        place?.close()
    }

    /** Open the file with the settings of docs/contract.md. */
    private fun connect(): SQLiteDatabase {
        val connection = openSqlite(file)
        try {
            SETTINGS.forEach { connection.rows("PRAGMA $it") }
            if (isAtLeast(connection, 3, 12)) connection.rows("PRAGMA synchronous=EXTRA")
            if (file != null) connection.rows("PRAGMA journal_mode=WAL")
        } catch (error: RuntimeException) {
            connection.close()
            throw error
        }
        return connection
    }

    private fun prepare(base: String, create: Boolean) {
        if (isNew(connection, name)) {
            if (!create) throw damaged(name, "it is empty")
            writing {
                createSchema(connection)
                run("INSERT INTO meta VALUES (?, ?)", Contract.STORE_BASE, base)
            }
        } else {
            checkSchema(connection, name)
        }
        val stored = rows("SELECT value FROM meta WHERE key = ?", Contract.STORE_BASE).firstOrNull()
        if (stored?.first() != base) {
            throw StoreError(
                "$name has features of another base. Open it with a model of that base, or use " +
                    "another folder.",
            )
        }
        isEraseDue = rows("SELECT 1 FROM meta WHERE key = ?", Contract.STORE_ERASE).isNotEmpty()
        erase()
    }

    private fun commit() {
        try {
            connection.setTransactionSuccessful()
            connection.endTransaction()
        } catch (error: SQLException) {
            reconnect() // which rolls back the transaction
            throw storeError(name, error)
        }
    }

    private fun rollBack() {
        try {
            connection.endTransaction()
        } catch (_: SQLException) {
            reconnect() // SQLite has rolled back already, because the storage is full
        }
    }

    private fun reconnect() {
        if (file == null) return
        connection.close()
        place?.close()
        connection = translated(name) { connect() }
        place = Place(file, name)
    }

    /**
     * Overwrite deleted bytes, if that is due; the next change tries again if there is no space.
     */
    private fun erase() {
        if (!isEraseDue) return
        try {
            connection.execSQL("VACUUM")
            val busy = connection.rows("PRAGMA wal_checkpoint(TRUNCATE)").first().first()
            if (busy == 0L) {
                connection.run("DELETE FROM meta WHERE key = ?", Contract.STORE_ERASE)
                isEraseDue = false
            }
        } catch (_: SQLException) {
            // the samples are deleted nevertheless
        }
    }
}

/** Return whether SQLite is of this version or newer. */
private fun isAtLeast(connection: SQLiteDatabase, major: Int, minor: Int): Boolean {
    val version = connection.rows("SELECT sqlite_version()").first().first() as String
    val (first, second) = version.split('.').map(String::toInt)
    return first > major || (first == major && second >= minor)
}
