/** Bytes: text, hexadecimal digits, hashes, checksums. */

package org.sartor.contract

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.CharacterCodingException
import java.nio.charset.CodingErrorAction
import java.security.MessageDigest
import java.util.zip.CRC32

private const val CHUNK = 1 shl 16 // bytes
private const val DIGITS = "0123456789abcdef"

/**
 * Return the text of bytes in UTF-8.
 *
 * @throws CharacterCodingException if they are not UTF-8.
 */
internal fun decodeText(bytes: ByteBuffer): String = Charsets.UTF_8.newDecoder()
    .onMalformedInput(CodingErrorAction.REPORT)
    .onUnmappableCharacter(CodingErrorAction.REPORT)
    .decode(bytes.duplicate())
    .toString()

/** Return the bytes of float32 numbers, little-endian. */
internal fun bytesOf(values: FloatArray): ByteArray {
    val bytes = ByteBuffer.allocate(Float.SIZE_BYTES * values.size).order(ByteOrder.LITTLE_ENDIAN)
    bytes.asFloatBuffer().put(values)
    return bytes.array()
}

/** Return the float32 numbers of little-endian bytes. */
internal fun floatsOf(bytes: ByteBuffer): FloatArray {
    val floats = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer()
    return FloatArray(floats.remaining()).also { floats.get(it) }
}

/** Return a part of bytes, as a view: [start] to before [end], counted from their first byte. */
internal fun part(bytes: ByteBuffer, start: Int, end: Int): ByteBuffer {
    val view = bytes.duplicate()
    view.limit(end)
    view.position(start)
    return view.slice().order(bytes.order())
}

/** Return a copy of the remaining bytes. */
internal fun copyOf(bytes: ByteBuffer): ByteArray {
    val view = bytes.duplicate()
    return ByteArray(view.remaining()).also { view.get(it) }
}

/** Return bytes as hexadecimal digits. */
internal fun hexadecimal(bytes: ByteArray): String {
    val text = StringBuilder(2 * bytes.size)
    for (byte in bytes) {
        text.append(DIGITS[byte.toInt() shr 4 and 15]).append(DIGITS[byte.toInt() and 15])
    }
    return text.toString()
}

/** Return the SHA-256 of parts, one after another: 32 bytes. */
internal fun sha256(vararg parts: ByteArray): ByteArray {
    val digest = MessageDigest.getInstance("SHA-256")
    parts.forEach(digest::update)
    return digest.digest()
}

/** Return the CRC-32 of the remaining bytes. */
internal fun crc32(bytes: ByteBuffer): Long {
    val crc = CRC32() // its method for buffers is that of Android 8
    forChunks(bytes) { chunk, size -> crc.update(chunk, 0, size) }
    return crc.value
}

/** Call a function with the remaining bytes, in chunks. */
internal inline fun forChunks(bytes: ByteBuffer, use: (chunk: ByteArray, size: Int) -> Unit) {
    val view = bytes.duplicate()
    val chunk = ByteArray(minOf(CHUNK, view.remaining()))
    while (view.hasRemaining()) {
        val size = minOf(chunk.size, view.remaining())
        view.get(chunk, 0, size)
        use(chunk, size)
    }
}

/** Return whether a text has a surrogate without its other half, so that UTF-8 cannot encode it. */
internal fun hasLoneSurrogate(text: String): Boolean {
    var i = 0
    while (i < text.length) {
        if (text[i].isSurrogate()) {
            val isPair =
                text[i].isHighSurrogate() && i + 1 < text.length && text[i + 1].isLowSurrogate()
            if (!isPair) return true
            i++
        }
        i++
    }
    return false
}

/** Compares texts by their code points, as Python does. */
internal val BY_CODE_POINT: Comparator<String> = Comparator { a, b ->
    var i = 0
    while (i < minOf(a.length, b.length) && a[i] == b[i]) i++
    if (i == a.length || i == b.length) {
        a.length - b.length
    } else {
        codePointOrder(a[i]) - codePointOrder(b[i])
    }
}

/** Return a number for a UTF-16 unit that sorts surrogates behind all other characters. */
private fun codePointOrder(unit: Char): Int =
    if (unit.isSurrogate()) unit.code + 0x10000 else unit.code
