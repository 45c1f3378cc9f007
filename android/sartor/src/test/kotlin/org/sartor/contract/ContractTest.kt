package org.sartor.contract

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.json.JSONObject
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.sartor.InvalidModelError
import org.sartor.NotPersonalizableError
import org.sartor.SartorError
import org.sartor.errorOf
import org.sartor.litert.checkModelFile
import org.sartor.smallModel

/** The files of the contract: known answers, and files that are damaged or hostile. */
internal class ContractTest {
    private val content = smallModel().readBytes()
    private val bytes = byteArrayOf(1, 2)

    @Test
    fun checksumsAreTheKnownAnswers() {
        val half = byteArrayOf(0, 0x3c, 0, 0xc0.toByte(), 0, 0x38, 0, 0)
        val answers = mapOf(
            "995b3de4" to checksum(1, "0f", "Hüte"),
            "91da859c" to checksum(7, 1700000000.5, bytes, 2, 8, 1, 1, 1.0, 3, 0.25),
            "22992320" to checksum(7, 1700000000.5, null, 2, 8, 1, 1, 1.0, 3, 0.25),
            "07dcef42" to checksum(7, "e", half),
        )
        for ((expected, sum) in answers) assertEquals(expected, "%08x".format(sum))
    }

    @Test
    fun identityOfAnArrayIsTheKnownAnswer() {
        val values = bytesOf(floatArrayOf(0.5f, -1f, 2f))
        val expected = "4c42f0d7183fffd20cb1fcc954df01b8777dc7ba0a749fd8c72ae29c3a73898b"
        assertEquals(expected, hexadecimal(sha256(pack("float32", 2, 1, 3), values)))
    }

    @Test
    fun textsAreSortedByCodePoints() {
        val sorted = listOf("a", "a/b", "b", "\uffee", "\ud83d\ude00")
        assertEquals(sorted, sorted.shuffled(java.util.Random(1)).sortedWith(BY_CODE_POINT))
    }

    @Test
    fun safetensorsAreReadAsTheyWereWritten() {
        val tensors = mapOf(
            "z" to FloatTensor(listOf(2, 1), floatArrayOf(1f, -0f)),
            "ä/b" to FloatTensor(listOf(0), FloatArray(0)),
        )
        val file = writeSafetensors(Safetensors(tensors, mapOf("key" to "\"täxt\" \\")))
        val read = readSafetensors(ByteBuffer.wrap(file))
        assertEquals("\"täxt\" \\", read.metadata["key"])
        assertEquals(tensors.keys, read.tensors.keys)
        assertEquals(listOf(2, 1), read.tensors.getValue("z").shape)
        val expected = tensors.getValue("z").data.map { it.toRawBits() }
        assertEquals(expected, read.tensors.getValue("z").data.map { it.toRawBits() })
    }

    @Test
    fun hostileSafetensorsAreRefused() {
        val headers = listOf(
            """{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}}""",
            """{"a": {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]}}""",
            """{"a": {"dtype": "F32", "shape": [3000000000, 3000000000], "data_offsets": [0]}}""",
            """{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 9223372036854775807]}}""",
            """{"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}""",
            """{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""",
            "[".repeat(100_000),
            "",
        )
        for (header in headers) {
            val text = header.toByteArray()
            val file = ByteBuffer.allocate(8 + text.size + 8).order(ByteOrder.LITTLE_ENDIAN)
            file.putLong(text.size.toLong()).put(text).rewind()
            errorOf<SafetensorsError> { readSafetensors(file) }
        }
        for (size in listOf(0L, 17, 1L shl 40, -1L)) {
            val file = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(0, size)
            errorOf<SafetensorsError> { readSafetensors(file) }
        }
    }

    @Test
    fun archivesAreReadAsTheyWereWritten() {
        val output = ByteArrayOutputStream().apply { write("before".toByteArray()) }
        val files = mapOf("ä" to ByteBuffer.wrap(bytes), "b" to ByteBuffer.wrap(ByteArray(0)))
        writeZip(output, files, before = 6)
        val entries = readZip(ByteBuffer.wrap(output.toByteArray()))
        assertEquals(listOf("ä", "b"), entries.map { it.name })
        assertEquals(6, entries.first().start)
        assertArrayEquals(bytes, copyOf(entries.first().read()))
    }

    @Test
    fun aModelThatIsChangedAnywhereIsRefused() {
        checkModelFile(ByteBuffer.wrap(content), "m.tflite")
        val random = java.util.Random(1)
        repeat(300) {
            val at = random.nextInt(content.size)
            val damaged =
                content.clone().also { it[at] = (it[at].toInt() xor (1 shl it[at] % 8)).toByte() }
            if (!damaged.contentEquals(content)) {
                checkedOrRefused(damaged)
            }
        }
        for (size in listOf(0, 7, 8, 100, content.size / 2, content.size - 1)) {
            val truncated = ByteBuffer.wrap(content.copyOf(size))
            errorOf<SartorError> { checkModelFile(truncated, "m.tflite") }
        }
    }

    /** A flipped bit in a field that no reader needs, such as a date, changes nothing. */
    private fun checkedOrRefused(damaged: ByteArray) {
        val original = checkModelFile(ByteBuffer.wrap(content), "m.tflite")
        try {
            val file = checkModelFile(ByteBuffer.wrap(damaged), "m.tflite")
            assertEquals(original.manifest, file.manifest)
        } catch (error: SartorError) {
            assertTrue(error.message!!.startsWith("m.tflite"))
        }
    }

    @Test
    fun aModelWithoutManifestIsRefusedWithTheNextStep() {
        val model = ByteArray(64).also { "TFL3".toByteArray().copyInto(it, 4) }
        val error = errorOf<NotPersonalizableError> {
            checkModelFile(ByteBuffer.wrap(model), "m.tflite")
        }
        assertTrue(error.message!!, "sartor convert" in error.message!!)
        val other =
            errorOf<InvalidModelError> { checkModelFile(ByteBuffer.wrap(bytes), "m.tflite") }
        assertTrue(other.message!!, "is not a .tflite model" in other.message!!)
    }

    @Test
    fun manifestsWithWrongFieldsAreRefused() {
        val text =
            decodeText(checkModelFile(ByteBuffer.wrap(content), "m").files.getValue("sartor.json"))
        val changes = mapOf<String, (JSONObject) -> Unit>(
            "needs contract version 2" to { it.put("contract", 2) },
            "requires telepathy" to { it.put("requires", org.json.JSONArray(listOf("telepathy"))) },
            "batch_size must be an integer" to { it.put("batch_size", 0) },
            "task must be one of" to { it.put("task", "guessing") },
            "weights_per_output is wrong" to { it.put("weights_per_output", true) },
            "features is empty" to { it.put("features", org.json.JSONArray()) },
            "curvature of the loss is -1" to { it.getJSONObject("loss").put("curvature", -1) },
            "digest must be a string, got nothing" to { it.remove("digest") },
        )
        for ((words, change) in changes) {
            val manifest = JSONObject(text).also(change).toString()
            val error = errorOf<NotPersonalizableError> { parseManifest(manifest) }
            assertTrue(error.message!!, words in error.message!!)
        }
        val unknown = text.replaceFirst("{", "{\"future\": 1, ")
        assertEquals(parseManifest(text), parseManifest(unknown))
    }
}
