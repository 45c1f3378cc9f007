/** Model files. LiteRT loads no file that has not passed these checks. */

package org.sartor.litert

import android.content.Context
import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import java.nio.charset.CharacterCodingException
import org.sartor.InvalidModelError
import org.sartor.NotPersonalizableError
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.contract.ZipEntry
import org.sartor.contract.ZipError
import org.sartor.contract.decodeText
import org.sartor.contract.modelDigest
import org.sartor.contract.parseManifest
import org.sartor.contract.part
import org.sartor.contract.readZip

private const val IDENTIFIER = 0x334c4654 // TFL3, at byte 4 of a .tflite file, little-endian
private const val CONVERT = "Make one with `sartor convert MODEL -o OUT.tflite --classes N`."

/**
 * A personalizable file that has passed all checks.
 *
 * @property content Bytes of the file, direct or mapped.
 * @property flatbuffer All bytes before the appended ZIP archive.
 * @property manifest The manifest.
 * @property files Files of the archive: name → content.
 * @property name Name of the file, for messages.
 */
internal class ModelFile(
    val content: ByteBuffer,
    val flatbuffer: ByteBuffer,
    val manifest: Manifest,
    val files: Map<String, ByteBuffer>,
    val name: String,
)

/**
 * Map a file into memory.
 *
 * @throws InvalidModelError if it does not exist or cannot be read.
 */
internal fun mapFile(file: File): ByteBuffer = try {
    FileInputStream(file).use { stream ->
        stream.channel.map(FileChannel.MapMode.READ_ONLY, 0, file.length())
    }
} catch (error: IOException) {
    throw InvalidModelError("$file cannot be read: ${error.message}", error)
}

/**
 * Map an asset of an app into memory.
 *
 * @throws InvalidModelError if it does not exist, or is compressed.
 */
internal fun mapAsset(context: Context, asset: String): ByteBuffer = try {
    context.assets.openFd(asset).use { descriptor ->
        descriptor.createInputStream().use { stream ->
            val mode = FileChannel.MapMode.READ_ONLY
            stream.channel.map(mode, descriptor.startOffset, descriptor.length)
        }
    }
} catch (error: IOException) {
    throw InvalidModelError(
        "the asset $asset does not exist, or is compressed (${error.message}): add " +
            "androidResources { noCompress += \"tflite\" } to the build file",
        error,
    )
}

/**
 * Check a personalizable file.
 *
 * @param content bytes of the file; others than direct ones are copied.
 * @param name name of the file, for messages.
 * @throws InvalidModelError if the file is not a model, or is damaged.
 * @throws NotPersonalizableError if the model does not fulfill the contract.
 */
internal fun checkModelFile(content: ByteBuffer, name: String): ModelFile {
    val bytes = direct(content)
    val start = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN)
    if (bytes.limit() < 8 || start.getInt(4) != IDENTIFIER) {
        throw InvalidModelError("$name is not a .tflite model. $CONVERT")
    }
    val entries = entriesOf(bytes, name)
    val flatbuffer = part(bytes, 0, entries.minOf { it.start })
    val files = entries.associate { it.name to contentOf(it, name) }
    val manifest = manifestOf(files.getValue(Contract.MANIFEST_FILE), name)
    if (manifest.digest != modelDigest(flatbuffer)) {
        throw InvalidModelError(
            "$name is damaged, or changed by another tool: its bytes do not match the digest in " +
                "${Contract.MANIFEST_FILE}. Use another copy, or convert the base again.",
        )
    }
    checkOffsets(manifest, flatbuffer, name)
    return ModelFile(bytes, flatbuffer, manifest, files, name)
}

/** Return bytes that LiteRT can read without a copy. */
private fun direct(content: ByteBuffer): ByteBuffer {
    val bytes = if (content.isDirect) {
        content.slice()
    } else {
        ByteBuffer.allocateDirect(content.remaining()).put(content.duplicate()).also { it.rewind() }
    }
    return bytes.order(ByteOrder.nativeOrder())
}

private fun entriesOf(content: ByteBuffer, name: String): List<ZipEntry> {
    var reason = ""
    val entries = try {
        readZip(content)
    } catch (error: ZipError) {
        reason = " (${error.message})"
        emptyList()
    }
    if (entries.none { it.name == Contract.MANIFEST_FILE }) {
        throw NotPersonalizableError(
            "$name is a model, but not a personalizable one, or its end is missing: it contains " +
                "no ${Contract.MANIFEST_FILE}$reason. $CONVERT",
        )
    }
    return entries
}

private fun contentOf(entry: ZipEntry, name: String): ByteBuffer = try {
    entry.read()
} catch (error: ZipError) {
    throw InvalidModelError("$name: the files after the model: ${error.message}. Use another copy.")
}

private fun manifestOf(content: ByteBuffer, name: String): Manifest {
    val text = try {
        decodeText(content)
    } catch (_: CharacterCodingException) {
        throw NotPersonalizableError("$name: ${Contract.MANIFEST_FILE} is not in UTF-8. $CONVERT")
    }
    return try {
        parseManifest(text)
    } catch (error: NotPersonalizableError) {
        throw NotPersonalizableError("$name: ${error.message}")
    }
}

private fun checkOffsets(manifest: Manifest, flatbuffer: ByteBuffer, name: String) {
    for (spec in manifest.variables) {
        val size = Float.SIZE_BYTES * spec.shape.fold(1.0) { product, each -> product * each }
        if (spec.offset + size > flatbuffer.limit()) {
            throw InvalidModelError(
                "$name: ${Contract.MANIFEST_FILE} places the initial value of ${spec.name} at " +
                    "byte ${spec.offset}, behind the end of the model. Convert the base again.",
            )
        }
    }
}
