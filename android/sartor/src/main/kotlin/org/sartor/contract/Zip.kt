/** ZIP archives, which may follow other content: behind a model, and projects. */

package org.sartor.contract

import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.CharacterCodingException
import java.util.zip.DataFormatException
import java.util.zip.Inflater

private const val LOCAL = 0x04034b50
private const val CENTRAL = 0x02014b50
private const val END = 0x06054b50
private const val LOCAL_SIZE = 30 // bytes
private const val CENTRAL_SIZE = 46
private const val END_SIZE = 22
private const val LONGEST_COMMENT = 0xffff
private const val DATE = 0x21 // 1980-01-01, the earliest date of a ZIP
private const val UTF8 = 0x800 // flag: the name is in UTF-8
private const val STORED = 0
private const val DEFLATED = 8
private const val LARGEST_FILE = 64 shl 20 // bytes of a compressed file after decompression

private const val DAMAGED_LIST = "the list of its files is damaged"

/** A problem of an archive, in words. */
internal class ZipError(message: String) : Exception(message)

/**
 * A file of an archive.
 *
 * @property name Its name.
 * @property start Start of the entry in the archive, in bytes.
 * @property isCompressed Whether the content is compressed.
 */
internal class ZipEntry(
    val name: String,
    val start: Int,
    val isCompressed: Boolean,
    private val stored: ByteBuffer,
    private val size: Long,
    private val crc: Long,
) {
    /** Return the content, after its checksum was compared; throws [ZipError] if it differs. */
    fun read(): ByteBuffer {
        val content = if (isCompressed) inflate(stored, size, name) else stored.slice()
        if (content.remaining().toLong() != size || crc32(content) != crc) {
            throw ZipError("the checksum of $name is that of other content")
        }
        return content.order(stored.order())
    }
}

/**
 * Return the files of an archive, which may follow other content.
 *
 * @throws ZipError if there is no archive, or it is damaged, encrypted or above 4 GB.
 */
internal fun readZip(content: ByteBuffer): List<ZipEntry> {
    val archive = content.slice().order(ByteOrder.LITTLE_ENDIAN)
    val end = endRecord(archive)
    val size = unsigned(archive.getInt(end + 12))
    val before = end - size - unsigned(archive.getInt(end + 16)) // bytes before the archive
    var at = end - size
    return List(unsigned(archive.getShort(end + 10))) {
        val isInside = before >= 0 && at >= 0 && at + CENTRAL_SIZE <= end
        if (!isInside || archive.getInt(at.toInt()) != CENTRAL) throw ZipError(DAMAGED_LIST)
        val entry = readEntry(archive, at.toInt(), before)
        val sizes = listOf(28, 30, 32).map { unsigned(archive.getShort(at.toInt() + it)) }
        at += CENTRAL_SIZE + sizes.sum()
        entry
    }
}

private fun endRecord(archive: ByteBuffer): Int {
    val last = archive.limit() - END_SIZE
    for (at in last downTo maxOf(0, last - LONGEST_COMMENT)) {
        if (archive.getInt(at) == END) return at
    }
    throw ZipError("it has no ZIP archive at its end")
}

private fun readEntry(archive: ByteBuffer, at: Int, before: Long): ZipEntry {
    val flags = unsigned(archive.getShort(at + 8))
    val method = unsigned(archive.getShort(at + 10))
    val nameSize = unsigned(archive.getShort(at + 28))
    if (at + CENTRAL_SIZE + nameSize > archive.limit()) throw ZipError(DAMAGED_LIST)
    val name = text(part(archive, at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameSize))
    if (flags and 1 != 0 || (method != STORED && method != DEFLATED)) {
        throw ZipError("$name is encrypted, or compressed with method $method")
    }
    val start = before + unsigned(archive.getInt(at + 42))
    if (start + LOCAL_SIZE > archive.limit() || archive.getInt(start.toInt()) != LOCAL) {
        throw ZipError("$name is not where the list of files says")
    }
    val local = start.toInt()
    val data = local.toLong() + LOCAL_SIZE +
        unsigned(archive.getShort(local + 26)) + unsigned(archive.getShort(local + 28))
    val end = data + unsigned(archive.getInt(at + 20))
    if (end > archive.limit()) throw ZipError("$name is cut off")
    return ZipEntry(
        name, local, method == DEFLATED, part(archive, data.toInt(), end.toInt()),
        size = unsigned(archive.getInt(at + 24)),
        crc = unsigned(archive.getInt(at + 16)),
    )
}

private fun text(bytes: ByteBuffer): String = try {
    decodeText(bytes)
} catch (_: CharacterCodingException) {
    throw ZipError("the name of a file is not in UTF-8")
}

private fun inflate(bytes: ByteBuffer, size: Long, name: String): ByteBuffer {
    if (size > LARGEST_FILE) throw ZipError("$name has $size bytes, too many for a compressed file")
    val inflater = Inflater(true)
    try {
        inflater.setInput(copyOf(bytes))
        val content = ByteArray(size.toInt() + 1) // one more: a longer content is noticed
        val length = inflater.inflate(content)
        return ByteBuffer.wrap(content, 0, length).slice()
    } catch (error: DataFormatException) {
        throw ZipError("$name cannot be decompressed: ${error.message}")
    } finally {
        inflater.end()
    }
}

/**
 * Write an archive of uncompressed files.
 *
 * @param output output to write to.
 * @param files name → content, in their order.
 * @param before number of bytes that precede the archive in its file. Default: 0.
 */
internal fun writeZip(output: OutputStream, files: Map<String, ByteBuffer>, before: Int = 0) {
    val list = ArrayList<ByteArray>()
    var at = before.toLong()
    for ((name, content) in files) {
        val encoded = name.toByteArray()
        val common = commonHeader(encoded, name, content)
        val local =
            record(LOCAL_SIZE + encoded.size) { putInt(LOCAL).put(common).putShort(0).put(encoded) }
        output.write(local)
        forChunks(content) { chunk, size -> output.write(chunk, 0, size) }
        list += record(CENTRAL_SIZE + encoded.size) {
            putInt(CENTRAL).put(20).put(3).put(common) // version 2.0, Unix
            putShort(0).putShort(0).putShort(0).putShort(0) // extra, comment, disk, attributes
            putInt(0x180 shl 16).putInt(at.toInt()).put(encoded) // rights: 0600
        }
        at += local.size + content.remaining()
    }
    list.forEach(output::write)
    val size = list.sumOf { it.size }
    output.write(
        record(END_SIZE) {
            putInt(END).putInt(0).putShort(list.size.toShort()).putShort(list.size.toShort())
            putInt(size).putInt(at.toInt()).putShort(0)
        },
    )
}

/** Return what the header of a file and its entry in the list of files have in common. */
private fun commonHeader(encoded: ByteArray, name: String, content: ByteBuffer): ByteArray =
    record(24) {
        putShort(20) // version 2.0
        putShort((if (encoded.size == name.length) 0 else UTF8).toShort())
        putShort(STORED.toShort()).putShort(0).putShort(DATE.toShort())
        putInt(crc32(content).toInt()).putInt(content.remaining()).putInt(content.remaining())
        putShort(encoded.size.toShort())
    }

private inline fun record(size: Int, fill: ByteBuffer.() -> Unit): ByteArray {
    val bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN)
    bytes.fill()
    return bytes.array()
}

private fun unsigned(value: Short): Int = value.toInt() and 0xffff

private fun unsigned(value: Int): Long = value.toLong() and 0xffffffffL
