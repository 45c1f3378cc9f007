/** Export and import of projects: all parts are checked before one is replaced. */

package org.sartor.saved

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.nio.ByteBuffer
import org.sartor.DataError
import org.sartor.ModelState
import org.sartor.SampleCollection
import org.sartor.StorageError
import org.sartor.contract.Manifest
import org.sartor.contract.forChunks
import org.sartor.data.volume
import org.sartor.litert.ModelFile
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.sartor.store.SampleStore
import org.sartor.store.notWritten
import org.sartor.store.temporaryFile
import org.sartor.store.writeFile

/**
 * The projects of an open model. The caller holds a lock, and no training runs at an import.
 *
 * @param file file of the model.
 * @param state weights and classes.
 * @param samples the samples.
 * @param folder folder for temporary files.
 */
internal class Projects(
    private val file: ModelFile,
    private val state: ModelState,
    private val samples: SampleCollection,
    private val folder: File,
) {
    /** Write model, checkpoint and samples as one file. */
    fun export(output: OutputStream) = withTemporary(folder) { copy ->
        samples.store.copyTo(copy)
        val checkpoint = ByteBuffer.wrap(writeCheckpoint(state.checkpoint()))
        Project(file.content, checkpoint, mapFile(copy)).write(output)
    }

    /**
     * Replace the state and the samples by those of a project.
     *
     * @param content content of the project.
     * @param save saves the present state.
     * @return messages about parts that were not loaded.
     * @throws org.sartor.SartorError if a part is damaged or of another model; nothing is changed.
     */
    fun import(content: InputStream, save: () -> Unit): List<String> =
        withProject(content, folder) { project ->
            withTemporary(folder) { store ->
                write(store) { copyTo(project.samples, it) }
                replace(project, store, save)
            }
        }

    private fun replace(project: Project, store: File, save: () -> Unit): List<String> {
        val model = checkModelFile(project.model, "the project: $MODEL")
        val name = "the project: $CHECKPOINT"
        val checkpoint = readCheckpoint(project.checkpoint, name)
        val manifest = file.manifest
        SampleStore(store, "the project: $SAMPLES", manifest, create = false).use { other ->
            other.check()
            checkClasses(other, checkpoint, model.manifest, name)
            val before = state.checkpoint()
            val removed =
                before.classKeys.filterNotNull() - checkpoint.classKeys.filterNotNull().toSet()
            val notes = state.load(checkpoint, name)
            try {
                save()
                samples.store.replace(other, removed)
            } catch (error: RuntimeException) {
                state.load(before, "the former state")
                save()
                throw error
            }
            samples.imprintStoredClasses()
            return notes
        }
    }
}

/**
 * Write the model of a project into a file, after it was checked.
 *
 * @param content content of the project.
 * @param file receives the model.
 */
internal fun writeModelOfProject(content: InputStream, file: File) {
    withProject(content, file.absoluteFile.parentFile ?: file) { project ->
        checkModelFile(project.model, "the project: $MODEL")
        writeFile(file) { copyTo(project.model, it) }
    }
}

/** Call a function with a project, which is copied into a temporary file meanwhile. */
private fun <T> withProject(content: InputStream, folder: File, use: (Project) -> T): T =
    withTemporary(folder) { archive ->
        write(archive) { content.copyTo(it) }
        use(Project.read(mapFile(archive)))
    }

private fun <T> withTemporary(folder: File, use: (File) -> T): T {
    val temporary = temporaryFile(File(folder, "project"))
    try {
        return use(temporary)
    } finally {
        for (end in listOf("", "-wal", "-shm", "-journal")) File(temporary.path + end).delete()
    }
}

private fun copyTo(bytes: ByteBuffer, output: OutputStream) {
    forChunks(bytes) { chunk, size -> output.write(chunk, 0, size) }
}

/** Check that checkpoint, model and samples of a project fit together. */
private fun checkClasses(
    store: SampleStore,
    checkpoint: Checkpoint,
    manifest: Manifest,
    name: String,
) {
    val zeros = manifest.variables.associate { it.name to FloatArray(volume(it.shape)) }
    val classes = adapt(checkpoint, manifest, zeros, name).classes
    val added = store.counts().keys - classes.filterNotNull().toSet()
    if (added.size > classes.count { it == null }) {
        throw DataError(
            "the project has ${added.size} classes that its checkpoint lacks, more than the " +
                "capacity of its model. Export the project again.",
        )
    }
}

/** Write a temporary file; throws [StorageError] if there is no space. */
private fun write(file: File, content: (OutputStream) -> Unit) {
    try {
        FileOutputStream(file).use(content)
    } catch (error: IOException) {
        throw notWritten(file, error)
    }
}
