package org.sartor.camera.model

import org.json.JSONObject
import org.sartor.PersonalModel
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest

private const val LENGTH = 8 // bytes of the length of the header of a safetensors file

/** Names of checkpoint entries other than weights. */
private val METADATA = Regex("__metadata__|(ood|app)/.*")

/**
 * Return the SHA-256 of the weights of a model, in hexadecimal digits.
 *
 * It does not depend on the names of the classes, nor on the samples. The camera app in the browser computes the same.
 */
fun weightsDigest(model: PersonalModel): String {
    val checkpoint = ByteArrayOutputStream().also(model::saveCheckpoint).toByteArray()
    val length = ByteBuffer.wrap(checkpoint).order(ByteOrder.LITTLE_ENDIAN).getLong().toInt()
    val header = JSONObject(String(checkpoint, LENGTH, length, Charsets.UTF_8))
    val digest = MessageDigest.getInstance("SHA-256")
    for (name in header.keys().asSequence().filterNot(METADATA::matches).sorted()) {
        val offsets = header.getJSONObject(name).getJSONArray("data_offsets")
        val (start, end) = List(2) { offsets.getInt(it) }
        digest.update(checkpoint, LENGTH + length + start, end - start)
    }
    return digest.digest().joinToString("") { "%02x".format(it) }
}
