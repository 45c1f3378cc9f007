/** Fields as bytes, the same in every language, and their checksums. */

package org.sartor.contract

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32

/**
 * Return fields as bytes.
 *
 * A `Long` or `Int` is an int64, a `Double` a float64, both little-endian. A `String` in UTF-8 or a
 * `ByteArray` follows its length in bytes, an int64. Null is the length −1.
 */
internal fun pack(vararg fields: Any?): ByteArray {
    val bytes = ByteArrayOutputStream()
    for (field in fields) packField(field).forEach { bytes.write(it, 0, it.size) }
    return bytes.toByteArray()
}

/** Return the checksum of fields: the CRC-32 of [pack], 0…2³² − 1. */
internal fun checksum(vararg fields: Any?): Long {
    val crc = CRC32()
    for (field in fields) packField(field).forEach { crc.update(it, 0, it.size) }
    return crc.value
}

private fun packField(field: Any?): List<ByteArray> = when (field) {
    null -> listOf(integer(-1))
    is Long -> listOf(integer(field))
    is Int -> listOf(integer(field.toLong()))
    is Double -> listOf(integer(field.toRawBits()))
    is String -> field.toByteArray().let { listOf(integer(it.size.toLong()), it) }
    is ByteArray -> listOf(integer(field.size.toLong()), field)
    else -> throw IllegalArgumentException("no field: $field")
}

private fun integer(value: Long): ByteArray =
    ByteBuffer.allocate(Long.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array()
