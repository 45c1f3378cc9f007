/** The platform's SQLite, and its errors as errors of Sartor. */

package org.sartor.store

import android.database.Cursor
import android.database.DatabaseErrorHandler
import android.database.SQLException
import android.database.sqlite.SQLiteAccessPermException
import android.database.sqlite.SQLiteCantOpenDatabaseException
import android.database.sqlite.SQLiteCursor
import android.database.sqlite.SQLiteDatabase
import android.database.sqlite.SQLiteDatabaseLockedException
import android.database.sqlite.SQLiteDiskIOException
import android.database.sqlite.SQLiteFullException
import android.database.sqlite.SQLiteProgram
import android.database.sqlite.SQLiteReadOnlyDatabaseException
import java.io.File
import org.sartor.SartorError
import org.sartor.StorageError
import org.sartor.StoreError

/** A row of a query: each value is a `Long`, a `Double`, a `String`, a `ByteArray` or null. */
internal typealias Row = List<Any?>

private const val BYTE_ORDER_MARK = "\uFEFF"

/** Keeps a damaged file: the default of the platform deletes it. */
private val KEEP_DAMAGED = DatabaseErrorHandler { }

/**
 * Open a database file, or a database in memory.
 *
 * Without localized collators, the platform adds no table of its own.
 *
 * @param file the file, which is created if it does not exist; null for memory.
 */
internal fun openSqlite(file: File?): SQLiteDatabase = SQLiteDatabase.openDatabase(
    file?.path ?: ":memory:",
    null,
    SQLiteDatabase.CREATE_IF_NECESSARY or SQLiteDatabase.NO_LOCALIZED_COLLATORS,
    KEEP_DAMAGED,
)

/** Return all rows of a query. */
internal fun SQLiteDatabase.rows(query: String, vararg values: Any?): List<Row> {
    val factory = SQLiteDatabase.CursorFactory { _, driver, table, program ->
        program.bindAll(values)
        SQLiteCursor(driver, table, program)
    }
    return rawQueryWithFactory(factory, query, null, "").use { cursor ->
        val rows = ArrayList<Row>(cursor.count)
        while (cursor.moveToNext()) rows += List(cursor.columnCount) { valueOf(cursor, it) }
        rows
    }
}

/** Run a statement that returns no rows, and return the ID of the last inserted row. */
internal fun SQLiteDatabase.run(statement: String, vararg values: Any?): Long =
    compileStatement(statement).use { program ->
        program.bindAll(values)
        if (statement.startsWith("INSERT")) {
            program.executeInsert()
        } else {
            program.executeUpdateDelete().toLong()
        }
    }

private fun SQLiteProgram.bindAll(values: Array<out Any?>) {
    values.forEachIndexed { i, value ->
        when (value) {
            null -> bindNull(i + 1)
            is Int -> bindLong(i + 1, value.toLong())
            is Long -> bindLong(i + 1, value)
            is Double -> bindDouble(i + 1, value)
            is String -> bindString(i + 1, withMark(value))
            is ByteArray -> bindBlob(i + 1, value)
            else -> throw IllegalArgumentException("no value of SQLite: $value")
        }
    }
}

/** Return a text for SQLite, which takes a first U+FEFF for a byte order mark, and removes it. */
private fun withMark(text: String): String =
    if (text.startsWith(BYTE_ORDER_MARK)) BYTE_ORDER_MARK + text else text

private fun valueOf(cursor: Cursor, column: Int): Any? = when (cursor.getType(column)) {
    Cursor.FIELD_TYPE_INTEGER -> cursor.getLong(column)
    Cursor.FIELD_TYPE_FLOAT -> cursor.getDouble(column)
    Cursor.FIELD_TYPE_STRING -> cursor.getString(column)
    Cursor.FIELD_TYPE_BLOB -> cursor.getBlob(column)
    else -> null
}

/** Return the error of a damaged store. */
internal fun damaged(name: String, reason: String, cause: Throwable? = null): StoreError =
    StoreError(
        "$name is damaged: $reason. Import a project, or delete the stored samples with " +
            "PersonalModel.deleteStorage and add them again.",
        cause,
    )

/**
 * Run a function, and throw StoreError or StorageError instead of an error of SQLite.
 *
 * @param name name of the store, for the message.
 */
internal inline fun <T> translated(name: String, run: () -> T): T = try {
    run()
} catch (error: SQLException) {
    throw storeError(name, error)
} catch (error: IllegalStateException) { // the connection is closed
    throw StoreError("$name is closed: open the model again (${error.message})", error)
}

/** Return the error of Sartor for one of SQLite. */
internal fun storeError(name: String, error: SQLException): SartorError = when (error) {
    is SQLiteFullException -> StorageError(
        "$name cannot be written: the storage is full. Nothing was changed. Free space or forget " +
            "samples, and try again (${error.message})",
        error,
    )
    is SQLiteDiskIOException, is SQLiteReadOnlyDatabaseException, is SQLiteAccessPermException,
    is SQLiteCantOpenDatabaseException,
    -> StorageError(
        "$name cannot be opened or written. Nothing was changed. Check the folder and its free " +
            "space, and try again (${error.message})",
        error,
    )
    is SQLiteDatabaseLockedException -> StoreError(
        "$name is in use by another program: close it there, and try again (${error.message})",
        error,
    )
    else -> damaged(name, error.message ?: error.toString(), error)
}
