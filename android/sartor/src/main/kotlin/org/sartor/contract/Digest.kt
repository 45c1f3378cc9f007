/** Digests of models and checkpoints, which reveal damage such as a flipped bit in a weight. */

package org.sartor.contract

import java.nio.ByteBuffer
import java.security.MessageDigest

/**
 * Return the SHA-256, in hexadecimal, of a model.
 *
 * @param flatbuffer all bytes before the appended ZIP archive.
 */
internal fun modelDigest(flatbuffer: ByteBuffer): String {
    val digest = MessageDigest.getInstance("SHA-256")
    digest.update(flatbuffer.duplicate())
    return hexadecimal(digest.digest())
}

/**
 * Return the SHA-256, in hexadecimal, of the tensors and classes of a checkpoint.
 *
 * @param tensors name → values, without the tensors of the app.
 * @param classes the name of each class index, or null.
 * @param keys the key of each class index, or null.
 */
internal fun checkpointDigest(
    tensors: Map<String, FloatArray>,
    classes: List<String?>,
    keys: List<String?>,
): String {
    val digest = MessageDigest.getInstance("SHA-256")
    for (name in tensors.keys.sortedWith(BY_CODE_POINT)) {
        digest.update("$name\n".toByteArray())
        digest.update(bytesOf(tensors.getValue(name)))
    }
    for (text in classes + keys) digest.update("${text.orEmpty()}\n".toByteArray())
    return hexadecimal(digest.digest())
}
