/** The tables of a store: create and check them. */

package org.sartor.store

import android.database.sqlite.SQLiteDatabase
import org.sartor.StoreError
import org.sartor.contract.Contract

private const val CHECK_LIMIT = 64L shl 20 // bytes: checking them takes a second
private const val OBJECTS =
    "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER " +
        "BY name"

/**
 * Return whether a file is empty, not yet a store.
 *
 * @throws StoreError if it belongs to another program, or has another version.
 */
internal fun isNew(connection: SQLiteDatabase, name: String): Boolean {
    val application = pragma(connection, "application_id")
    val version = pragma(connection, "user_version")
    if (application == 0L && version == 0L && connection.rows(OBJECTS).isEmpty()) return true
    if (application != Contract.STORE_APPLICATION_ID.toLong()) {
        throw StoreError("$name is an SQLite file, but not a sample store of Sartor.")
    }
    val expected = Contract.STORE_VERSION
    if (version != expected.toLong()) {
        val action = if (version > expected) "Update Sartor." else "Add the samples again."
        throw StoreError(
            "$name is a store of version $version; this Sartor supports version $expected. $action",
        )
    }
    return false
}

/** Create the tables; the caller holds a transaction. */
internal fun createSchema(connection: SQLiteDatabase) {
    Contract.STORE_SCHEMA.forEach(connection::execSQL)
    connection.execSQL("PRAGMA application_id = ${Contract.STORE_APPLICATION_ID}")
    connection.execSQL("PRAGMA user_version = ${Contract.STORE_VERSION}")
}

/**
 * Check the pages of a file, unless it is large, and compare its tables with those of a new store.
 *
 * @throws StoreError if they are damaged, or differ; views and triggers are refused.
 */
internal fun checkSchema(connection: SQLiteDatabase, name: String) {
    val size = pragma(connection, "page_count") * pragma(connection, "page_size")
    if (size <= CHECK_LIMIT) {
        val verdict = connection.rows("PRAGMA integrity_check(1)").first().first()
        if (verdict != "ok") throw damaged(name, "$verdict".replace('\n', ' '))
    }
    val expected = openSqlite(null)
    try {
        createSchema(expected)
        if (description(connection) != description(expected)) {
            throw damaged(name, "its tables are not the tables of a store")
        }
    } finally {
        expected.close()
    }
}

/** Return a setting of a database. */
internal fun pragma(connection: SQLiteDatabase, name: String): Long =
    connection.rows("PRAGMA $name").first().first() as Long

/** Return a description of all tables, columns and indices. */
private fun description(connection: SQLiteDatabase): List<Row> {
    val objects = connection.rows(OBJECTS)
    val tables = objects.filter { (type) -> type == "table" }.map { (_, name) -> "$name" }
    return objects + tables.flatMap { columns(connection, it) }
}

/** Return the columns of a table; SQLite before 3.26 (Android 10) cannot list hidden ones. */
private fun columns(connection: SQLiteDatabase, table: String): List<Row> {
    val quoted = "\"${table.replace("\"", "\"\"")}\""
    return connection.rows("PRAGMA table_xinfo($quoted)")
        .ifEmpty { connection.rows("PRAGMA table_info($quoted)") }
}
