package org.sartor

import java.io.File
import java.io.FileInputStream
import java.io.InputStream
import java.io.OutputStream
import java.nio.ByteBuffer
import org.sartor.saved.bake
import org.sartor.saved.freeze
import org.sartor.saved.readCheckpoint
import org.sartor.saved.writeCheckpoint
import org.sartor.store.reading
import org.sartor.store.writeFile
import org.sartor.store.writing

/**
 * The part of [PersonalModel] that saves and loads: checkpoints, projects, baked models and plain
 * classifiers.
 *
 * All of them are the same in Python and in the browser. A method throws [StorageError] if a file
 * cannot be read or written.
 */
public abstract class ModelFiles internal constructor(internal val parts: ModelParts) {
    private val state = parts.state

    /** Write the checkpoint into the folder now. Every change does so soon by itself. */
    public fun save() {
        parts.saver.save()
    }

    /** Go back to the checkpoint in the folder; see [loadCheckpoint]. */
    public fun load(): List<String> = parts.load("the saved checkpoint") {
        parts.saver.read() ?: throw DataError("there is no saved checkpoint: add a sample first")
    }

    /** Write the checkpoint (safetensors), which Python and the browser load too. */
    public fun saveCheckpoint(output: OutputStream): Unit = writing {
        parts.locked { output.write(writeCheckpoint(state.checkpoint())) }
    }

    /** Write the checkpoint into a file, atomically. */
    public fun saveCheckpoint(file: File): Unit = writeFile(file, ::saveCheckpoint)

    /**
     * Replace weights and classes by a checkpoint; keep the samples, stop a running training.
     *
     * @return a message for each part that does not fit the model and was not loaded.
     * @throws CheckpointError if it is damaged or of another model.
     */
    public fun loadCheckpoint(input: InputStream): List<String> {
        val content = reading { ByteBuffer.wrap(input.readBytes()) }
        return parts.load("the checkpoint") { readCheckpoint(content, "the checkpoint") }
    }

    /** Load a checkpoint from a file; see the other method of this name. */
    public fun loadCheckpoint(file: File): List<String> {
        val content = reading { ByteBuffer.wrap(file.readBytes()) }
        return parts.load(file.path) { readCheckpoint(content, file.path) }
    }

    /** Write a `.tflite` file that starts with the present classes and can still be trained. */
    public fun bake(output: OutputStream): Unit = writing {
        parts.locked {
            bake(parts.file, state.checkpoint(), state.engine.initialVariables(), output)
        }
    }

    /** Bake into a file, atomically; see the other method of this name. */
    public fun bake(file: File): Unit = writeFile(file, ::bake)

    /**
     * Write a plain `.tflite` classifier of the present classes, which cannot be trained.
     *
     * @throws DataError if there are too few classes.
     * @throws InvalidModelError if the file of the model contains no classifier.
     */
    public fun freeze(output: OutputStream): Unit = writing {
        parts.locked {
            freeze(parts.file, state.checkpoint(), state.engine.initialVariables(), output)
        }
    }

    /** Freeze into a file, atomically; see the other method of this name. */
    public fun freeze(file: File): Unit = writeFile(file, ::freeze)

    /** Write model, weights and samples as one file, which Python and the browser import too. */
    public fun exportProject(output: OutputStream): Unit = writing {
        parts.locked { parts.projects.export(output) }
    }

    /** Export a project into a file, atomically; see the other method of this name. */
    public fun exportProject(file: File): Unit = writeFile(file, ::exportProject)

    /**
     * Replace weights, classes and samples by those of a project; otherwise like [loadCheckpoint].
     *
     * @throws SartorError if a part is damaged or of another model; nothing is changed.
     */
    public fun importProject(input: InputStream): List<String> =
        parts.changing { parts.projects.import(input, parts.saver::save) }

    /** Import a project from a file; see the other method of this name. */
    public fun importProject(file: File): List<String> =
        reading { FileInputStream(file) }.use(::importProject)
}
