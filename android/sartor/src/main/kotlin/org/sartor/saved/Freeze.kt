/** Freeze: take the plain classifier out of a model file, with the values of a checkpoint. */

package org.sartor.saved

import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.sartor.DataError
import org.sartor.InvalidModelError
import org.sartor.contract.Contract
import org.sartor.contract.FrozenSpec
import org.sartor.contract.Manifest
import org.sartor.contract.VariableSpec
import org.sartor.contract.bytesOf
import org.sartor.contract.copyOf
import org.sartor.contract.writeZip
import org.sartor.data.CLASSIFICATION
import org.sartor.data.volume
import org.sartor.indicesOf
import org.sartor.litert.ModelFile
import org.sartor.litert.Variables

/**
 * Write the plain classifier in a model file.
 *
 * It has one signature, from the inputs of the base to the output of each class that has samples,
 * and standard metadata with the class names. It cannot be trained.
 *
 * @param file the model file.
 * @param checkpoint a checkpoint of the model.
 * @param initial initial values of the variables, as LiteRT returns them.
 * @param output receives the bytes of a `.tflite` file.
 * @throws DataError if there are too few classes, or fewer than the head allows.
 * @throws InvalidModelError if the file contains no classifier, or states wrong places.
 */
internal fun freeze(
    file: ModelFile,
    checkpoint: Checkpoint,
    initial: Variables,
    output: OutputStream,
) {
    val frozen = file.manifest.frozen ?: throw InvalidModelError(
        "${file.name} contains no plain classifier: convert the base again, or use " +
            "`sartor freeze`.",
    )
    val adapted = adapt(checkpoint, file.manifest, initial, "the checkpoint")
    val indices = usedIndices(adapted, file.manifest, frozen)
    val content = copyOf(file.flatbuffer)
    val places = Places(content, file.name)
    for (spec in file.manifest.variables.filter { it.offset > frozen.offset }) {
        val value = select(adapted.variables.getValue(spec.name), spec, indices)
        val size = Float.SIZE_BYTES * volume(spec.shape)
        places.replace(spec.offset - Int.SIZE_BYTES, size, Float.SIZE_BYTES * value.size)
        bytesOf(value).copyInto(content, spec.offset.toInt())
    }
    for (position in frozen.classCounts) {
        places.replace(position.toLong(), file.manifest.classes.size, indices.size)
    }
    val labels = indices.joinToString("\n") { adapted.classes[it].orEmpty() }
    val files = file.files - Contract.MANIFEST_FILE +
        (Contract.LABELS_FILE to ByteBuffer.wrap(labels.toByteArray()))
    val size = content.size - frozen.offset.toInt()
    output.write(content, frozen.offset.toInt(), size)
    writeZip(output, files, size)
}

/**
 * The numbers in a file that a classifier with fewer classes replaces.
 *
 * @param content bytes of the flatbuffer.
 * @param name name of the file, for messages.
 */
private class Places(content: ByteArray, private val name: String) {
    private val bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN)

    /** Replace a uint32; throws InvalidModelError if its present value is another one. */
    fun replace(position: Long, present: Int, value: Int) {
        val isInside = position in 0..bytes.limit() - Int.SIZE_BYTES
        val number = if (isInside) bytes.getInt(position.toInt()) else null
        if (number != present) {
            throw InvalidModelError(
                "$name: ${Contract.MANIFEST_FILE} places the size $present at byte $position, " +
                    "where the file has ${number ?: "no byte"}. Convert the base again.",
            )
        }
        bytes.putInt(position.toInt(), value)
    }
}

/** Return the indices of the classes that have a name and are active. */
private fun usedIndices(adapted: Adapted, manifest: Manifest, frozen: FrozenSpec): IntArray {
    val mask = adapted.variables.getValue(Contract.MASK)
    val classes = adapted.classes
    val indices = indicesOf(classes.size) { classes[it] != null && mask[it] == 1f }
    val least = if (manifest.task == CLASSIFICATION) 2 else 1
    if (indices.size < least) {
        val names = indices.joinToString("") { ": '${classes[it]}'" }
        val count = if (indices.isEmpty()) "no" else "${indices.size}"
        throw DataError(
            "the model has $count class$names, and a classifier needs $least or more: add " +
                "samples of other classes",
        )
    }
    if (frozen.classCounts.isEmpty() && indices.size < classes.size) {
        throw DataError(
            "the head needs ${classes.size} classes, and the model has ${indices.size}: convert " +
                "the base again with a capacity equal to the number of classes",
        )
    }
    return indices
}

/** Return the values at class indices. */
private fun select(value: FloatArray, spec: VariableSpec, indices: IntArray): FloatArray {
    val axis = spec.classAxis ?: return value
    val stride = volume(spec.shape.drop(axis + 1)) // between two classes
    val blocks = value.size / (spec.shape[axis] * stride)
    val result = FloatArray(blocks * indices.size * stride)
    for (block in 0 until blocks) {
        indices.forEachIndexed { i, index ->
            val start = (block * spec.shape[axis] + index) * stride
            value.copyInto(result, (block * indices.size + i) * stride, start, start + stride)
        }
    }
    return result
}
