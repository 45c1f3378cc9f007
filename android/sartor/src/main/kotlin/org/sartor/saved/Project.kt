/** Projects: a model, its checkpoint and its samples in one file. */

package org.sartor.saved

import java.io.OutputStream
import java.nio.ByteBuffer
import org.sartor.DataError
import org.sartor.contract.ZipError
import org.sartor.contract.readZip
import org.sartor.contract.writeZip

/** Name of the model in a project. */
internal const val MODEL: String = "model.tflite"

/** Name of the checkpoint in a project. */
internal const val CHECKPOINT: String = "checkpoint.safetensors"

/** Name of the samples in a project. */
internal const val SAMPLES: String = "checkpoint.samples"

private val NAMES = listOf(CHECKPOINT, SAMPLES, MODEL) // sorted
private const val ADVICE = "Give a file from exportProject, or from `sartor export`."

/**
 * The files of a project.
 *
 * @property model The personalizable file.
 * @property checkpoint The checkpoint.
 * @property samples The sample store.
 */
internal class Project(val model: ByteBuffer, val checkpoint: ByteBuffer, val samples: ByteBuffer) {
    /** Write the project as one file. */
    fun write(output: OutputStream) {
        writeZip(output, mapOf(CHECKPOINT to checkpoint, SAMPLES to samples, MODEL to model))
    }

    companion object {
        /**
         * Return the files of a project; their checksums are compared.
         *
         * @throws DataError if the file is not a project, or is damaged.
         */
        fun read(content: ByteBuffer): Project = try {
            val entries = readZip(content)
            val names = entries.map { it.name }.sorted()
            if (names != NAMES) {
                val got = names.take(5).joinToString().ifEmpty { "nothing" }
                throw ZipError("it has the files $got, expected ${NAMES.joinToString()}")
            }
            if (entries.any { it.isCompressed }) {
                throw ZipError("it is compressed; a project is an uncompressed archive")
            }
            val files = entries.associate { it.name to it.read() }
            Project(files.getValue(MODEL), files.getValue(CHECKPOINT), files.getValue(SAMPLES))
        } catch (error: ZipError) {
            throw DataError("the file is not a project, or is damaged: ${error.message}. $ADVICE")
        }
    }
}
