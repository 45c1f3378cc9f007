/** safetensors files of float32 tensors. */

package org.sartor.contract

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.charset.CharacterCodingException
import org.json.JSONArray
import org.json.JSONObject

private const val LENGTH = 8 // bytes of the length of the header
private const val ALIGNMENT = 8 // bytes
private const val METADATA = "__metadata__"

/** A problem of a safetensors file, in words. */
internal class SafetensorsError(message: String) : Exception(message)

/**
 * A float32 tensor.
 *
 * @property shape Its shape.
 * @property data Values, row by row.
 */
internal class FloatTensor(val shape: List<Int>, val data: FloatArray)

/** Name → tensor. */
internal typealias FloatTensors = Map<String, FloatTensor>

/**
 * The content of a safetensors file.
 *
 * @property tensors Name → tensor.
 * @property metadata Texts in the header: key → text.
 */
internal class Safetensors(val tensors: FloatTensors, val metadata: Map<String, String>)

/**
 * Read a safetensors file.
 *
 * @throws SafetensorsError if it is not one, is damaged, or has a tensor of another type.
 */
internal fun readSafetensors(content: ByteBuffer): Safetensors {
    val (header, data) = split(content)
    val metadata = header.optionalFields(METADATA)
    val places = ArrayList<Pair<Long, Long>>()
    val tensors = LinkedHashMap<String, FloatTensor>()
    for (name in header.names.filter { it != METADATA }) {
        val tensor = header.fields(name)
        val place = placeOf(tensor, name, data.remaining())
        places += place
        val shape = tensor.sizes(Keys.SHAPE).map(Long::toInt)
        val values = part(data, place.first.toInt(), place.second.toInt())
        tensors[name] = FloatTensor(shape, floatsOf(values))
    }
    checkPlaces(places, data.remaining().toLong())
    return Safetensors(tensors, metadata?.run { names.associateWith(::string) }.orEmpty())
}

/** Return tensors and texts as a safetensors file. */
internal fun writeSafetensors(file: Safetensors): ByteArray {
    val names = file.tensors.keys.sortedWith(BY_CODE_POINT)
    val header = JSONObject().put(METADATA, JSONObject(file.metadata))
    var at = 0L
    for (name in names) {
        val tensor = file.tensors.getValue(name)
        val end = at + Float.SIZE_BYTES.toLong() * tensor.data.size
        val fields = JSONObject().put("dtype", "F32").put(Keys.SHAPE, JSONArray(tensor.shape))
        header.put(name, fields.put("data_offsets", JSONArray(listOf(at, end))))
        at = end
    }
    val text = header.toString().toByteArray()
    val padded = text + ByteArray(-text.size and (ALIGNMENT - 1)) { ' '.code.toByte() }
    val content = ByteArrayOutputStream(LENGTH + padded.size + at.toInt())
    val length = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN)
    content.write(length.putLong(padded.size.toLong()).array(), 0, LENGTH)
    content.write(padded, 0, padded.size)
    for (name in names) {
        bytesOf(file.tensors.getValue(name).data).let { content.write(it, 0, it.size) }
    }
    return content.toByteArray()
}

/** Return the header and the bytes behind it. */
private fun split(content: ByteBuffer): Pair<Fields, ByteBuffer> {
    val bytes = content.slice().order(ByteOrder.LITTLE_ENDIAN)
    val size = if (bytes.remaining() < LENGTH) -1 else bytes.getLong(0)
    if (size < 0 || size > bytes.remaining() - LENGTH) {
        throw SafetensorsError("its header is cut off")
    }
    val end = LENGTH + size.toInt()
    val text = try {
        decodeText(part(bytes, LENGTH, end))
    } catch (_: CharacterCodingException) {
        throw SafetensorsError("its header is not in UTF-8")
    }
    return Fields.parse(text, "its header", ::SafetensorsError) to part(bytes, end, bytes.limit())
}

/** Return the first byte of a tensor, and the byte after its last. */
private fun placeOf(tensor: Fields, name: String, available: Int): Pair<Long, Long> {
    val dtype = tensor.string("dtype")
    if (dtype != "F32") throw SafetensorsError("$name has the type $dtype, expected F32 (float32)")
    val offsets = tensor.sizes("data_offsets")
    val start = offsets.getOrElse(0) { -1 }
    val end = offsets.getOrElse(1) { -1 }
    val isInside = offsets.size == 2 && start <= end && end <= available
    val size = tensor.sizes(Keys.SHAPE).fold(1L) { product, each ->
        if (each > available) -1L else minOf(product * each, Int.MAX_VALUE.toLong())
    }
    if (!isInside || end - start != Float.SIZE_BYTES * size) {
        throw SafetensorsError("the bytes $start to $end of $name do not fit its shape")
    }
    return start to end
}

/** Check that tensors fill the file without gaps: else it contains what no reader sees. */
private fun checkPlaces(places: List<Pair<Long, Long>>, size: Long) {
    var at = 0L
    for ((start, end) in places.sortedWith(compareBy({ it.first }, { it.second }))) {
        if (start != at) throw SafetensorsError("a tensor starts at byte $start, expected $at")
        at = end
    }
    if (at != size) throw SafetensorsError("it has $size bytes of tensors, expected $at")
}
