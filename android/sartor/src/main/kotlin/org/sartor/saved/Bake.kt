/** Bake: write a checkpoint into a model file, as the initial values of its variables. */

package org.sartor.saved

import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.json.JSONObject
import org.sartor.InvalidModelError
import org.sartor.contract.Contract
import org.sartor.contract.Keys
import org.sartor.contract.copyOf
import org.sartor.contract.decodeText
import org.sartor.contract.floatsOf
import org.sartor.contract.modelDigest
import org.sartor.contract.part
import org.sartor.contract.writeZip
import org.sartor.data.volume
import org.sartor.litert.ModelFile
import org.sartor.litert.Variables

/**
 * Write a checkpoint into a model file.
 *
 * The initial values of the variables, the class names and the digest change; all other bytes stay.
 *
 * @param file the model file.
 * @param checkpoint a checkpoint of the model.
 * @param initial initial values of the variables, as LiteRT returns them.
 * @param output receives the bytes of the new file.
 * @throws InvalidModelError if the manifest states wrong places of the variables.
 */
internal fun bake(
    file: ModelFile,
    checkpoint: Checkpoint,
    initial: Variables,
    output: OutputStream,
) {
    val adapted = adapt(checkpoint, file.manifest, initial, "the checkpoint")
    val content = copyOf(file.flatbuffer)
    val flatbuffer = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN)
    for (spec in file.manifest.variables) {
        val start = spec.offset.toInt()
        val place = part(flatbuffer, start, start + Float.SIZE_BYTES * volume(spec.shape))
        checkPlace(file, spec.name, floatsOf(place), initial.getValue(spec.name))
        place.asFloatBuffer().put(adapted.variables.getValue(spec.name))
    }
    val labels = adapted.classes.mapIndexed { index, name -> name ?: "unused $index" }
    val files = file.files + mapOf(
        Contract.MANIFEST_FILE to bytes(manifestText(file, adapted, modelDigest(flatbuffer))),
        Contract.LABELS_FILE to bytes(labels.joinToString("\n")),
    )
    output.write(content)
    writeZip(output, files, content.size)
}

private fun checkPlace(file: ModelFile, name: String, value: FloatArray, initial: FloatArray) {
    if (value.indices.any { value[it].toRawBits() != initial[it].toRawBits() }) {
        throw InvalidModelError(
            "${file.name}: ${Contract.MANIFEST_FILE} places the initial value of $name where the " +
                "model has another value. Convert the base again.",
        )
    }
}

/** Return the manifest with other values; its unknown keys stay. */
private fun manifestText(file: ModelFile, adapted: Adapted, digest: String): String =
    JSONObject(decodeText(file.files.getValue(Contract.MANIFEST_FILE)))
        .put(Keys.CLASSES, arrayOf(adapted.classes))
        .put(Keys.CLASS_KEYS, arrayOf(adapted.classKeys))
        .put(Keys.DIGEST, digest)
        .toString()

private fun bytes(text: String): ByteBuffer = ByteBuffer.wrap(text.toByteArray())
