package org.sartor.camera.model

import android.content.Context
import org.sartor.ModelOptions
import org.sartor.PersonalModel
import org.sartor.camera.R
import org.sartor.camera.files.temporaryFile
import java.io.File
import java.io.IOException

/**
 * The bases and files that the user opens.
 *
 * Every method blocks; `Session` calls them in a background thread.
 */
class OpenedFiles(private val context: Context, private val state: StateHolder, private val project: Project) {
    private val bases by lazy { Bases(context) } // reads files: not in the main thread

    /** Open the base that was used last; a page says it if that fails. */
    fun openLast() = openOrFail { bases.chosen }

    /**
     * Open a base of the list; the samples move to it.
     *
     * @param mayLeave whether samples that cannot move may stay with the present base.
     * @return a sentence for the user; null if the base was not opened because samples cannot move.
     */
    fun openBase(key: String, mayLeave: Boolean): String? {
        val base = bases.find(key)
        return move(base, nameOf(base), isKnown = true, mayLeave)
    }

    /** Delete a base that is not open, and its samples. */
    fun removeBase(key: String) {
        if (key != project.base?.key) {
            bases.remove(key)
        }
        list()
    }

    /**
     * Open a file; the open model stays if that fails.
     *
     * @param mayReplace whether a project may replace samples.
     * @return a sentence for the user; null if the user is asked first.
     */
    fun open(name: String, file: File, mayReplace: Boolean): String? =
        when (name.substringAfterLast('.').lowercase()) {
            "tflite" -> openModel(name, file)
            "sartor", "zip" -> openProject(name, file, mayReplace)
            "safetensors" -> {
                project.loadCheckpoint(file).firstOrNull() ?: context.getString(R.string.loaded, name)
            }
            else -> throw IOException(context.getString(R.string.unknown_file, name))
        }

    /** Use a model as the base; the samples move to it. */
    private fun openModel(name: String, file: File): String? {
        val isKnown = bases.isKnown(bases.keyOf(file))
        val base = file.inputStream().use { bases.add(name, it) }
        return move(base, name, isKnown, mayLeave = false)
    }

    /** Load a project into the open model, or into its own one if it has another base. */
    private fun openProject(name: String, file: File, mayReplace: Boolean): String? {
        val model = temporaryFile(context)
        try {
            file.inputStream().use { PersonalModel.modelOfProject(it, model) }
            val isOpen = isOpen(model)
            val key = bases.keyOf(model)
            val isKnown = bases.isKnown(key)
            val replaces = if (isOpen) hasSamples() else hasSamples(model, bases.samplesOf(key))
            if (replaces && !mayReplace) {
                state.update { copy(sheet = Sheet.Replacement(name)) }
                return null
            }
            if (isOpen) {
                return project.importProject(file).firstOrNull() ?: context.getString(R.string.loaded, name)
            }
            val success = context.getString(R.string.loaded_base, name) + samplesStay()
            val base = model.inputStream().use { bases.add(name, it) }
            return change(base, isKnown) { it.importProject(file) }.firstOrNull() ?: success
        } finally {
            model.delete()
        }
    }

    /** Return whether the open model has the base and the head of a model file. */
    private fun isOpen(file: File): Boolean {
        val open = project.model?.manifest?.fingerprints ?: return false
        val other = PersonalModel.open(file).use { it.manifest.fingerprints }
        return open.base == other.base && open.head == other.head
    }

    private fun hasSamples() = state.value.classes.any { it.samples > 0 }

    private fun hasSamples(model: File, folder: File) =
        folder.exists() && PersonalModel.open(model, ModelOptions(folder)).use { it.samples().isNotEmpty() }

    /** Return a sentence about the samples of the open base, which stay with it; nothing if there are none. */
    private fun samplesStay(): String =
        if (hasSamples()) " " + context.getString(R.string.samples_stay, nameOf(bases.chosen)) else ""

    private fun nameOf(base: Base) = if (base.isStarter) context.getString(R.string.starter) else base.name

    /** Open a base, and let the samples move to it if it has no classes. */
    private fun move(base: Base, name: String, isKnown: Boolean, mayLeave: Boolean): String? {
        val former = project.base
        if (former?.key == base.key) {
            return context.getString(R.string.opened, name)
        }
        val moving = if (former != null && hasSamples()) project.moving(nameOf(former)) else null
        var refusal: String? = null
        var isAsked = false
        val notes = change(base, isKnown) { to ->
            refusal = moving?.refusal(context, to, name)
            isAsked = moving != null && refusal == null && moving.left > 0 && !mayLeave
            if (moving != null && refusal == null && !isAsked) {
                fill(base, to, moving)
            }
            if (isAsked) null else emptyList()
        }
        if (isAsked && moving != null) {
            state.update { copy(sheet = Sheet.Leaving(base.key, name, moving.former, moving.left, moving.total)) }
            return null
        }
        return refusal ?: context.getString(if (notes.isEmpty()) R.string.opened else R.string.opened_incomplete, name)
    }

    /** Let samples move; if that fails, or the process ends meanwhile, the base has none of them. */
    private fun fill(base: Base, to: PersonalModel, moving: Moving) {
        bases.moveTarget = base.key
        moving.fill(to) { done, total ->
            state.update { copy(message = Message(context.getString(R.string.adding_photos, done, total))) }
        }
        to.save()
        bases.moveTarget = null
    }

    /**
     * Use another base; the present one stays if that fails, and an unknown one is deleted.
     *
     * @param fill changes the model before it takes the place of the present one; null lets the present one stay.
     * @return messages about parts that were not loaded.
     */
    private fun change(base: Base, isKnown: Boolean, fill: (PersonalModel) -> List<String>?): List<String> {
        val former = bases.chosen
        state.update { copy(project = ProjectState.Opening, prediction = null, recording = null, message = null) }
        try {
            val opened = load(base)
            val notes = try {
                fill(opened)
            } catch (error: Throwable) {
                opened.use { runCatching { clearFailedMove(base, it) } } // if it fails, the next opening does it
                throw error
            }
            if (notes == null) {
                opened.close()
                project.show()
                return emptyList()
            }
            project.use(base, opened)
            bases.choose(base)
            return opened.notes + notes
        } catch (error: Throwable) {
            if (project.model == null) openOrFail { former } else project.show()
            if (!isKnown) {
                bases.remove(base.key)
            }
            throw error
        } finally {
            list()
        }
    }

    /** Open a model, without the copies of a move during which the process has ended. */
    private fun load(base: Base): PersonalModel {
        val opened = project.load(base)
        try {
            clearFailedMove(base, opened)
        } catch (error: Throwable) {
            opened.close()
            throw error
        }
        return opened
    }

    private fun clearFailedMove(base: Base, model: PersonalModel) {
        if (bases.moveTarget == base.key) {
            removeClasses(model)
            bases.moveTarget = null
        }
    }

    private fun openOrFail(choose: () -> Base) {
        try {
            val base = choose()
            project.use(base, load(base))
            bases.choose(base)
        } catch (error: Exception) {
            state.update { copy(project = ProjectState.Failed(error.message ?: error.toString())) }
        }
        list()
    }

    /** Show the list of the bases. */
    private fun list() = state.update { copy(bases = this@OpenedFiles.bases.list()) }
}
