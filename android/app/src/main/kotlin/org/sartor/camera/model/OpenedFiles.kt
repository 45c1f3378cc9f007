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

    /** Open a base of the list. */
    fun openBase(key: String) {
        if (key == Base.STARTER) openOrFail { bases.starter } else change(bases.find(key), isKnown = true)
    }

    /** Delete a base that is not open, and its samples. */
    fun removeBase(key: String) {
        bases.opened.find { it.key == key }?.let(bases::remove)
        list()
    }

    /**
     * Open a file; the open model stays if that fails.
     *
     * @param mayReplace whether a project may replace samples.
     * @return a sentence for the user; null if the file was not opened because it replaces samples.
     */
    fun open(name: String, file: File, mayReplace: Boolean): String? =
        when (name.substringAfterLast('.').lowercase()) {
            "tflite" -> openModel(name, file) ?: context.getString(R.string.opened, name)
            "sartor", "zip" -> openProject(name, file, mayReplace)
            "safetensors" -> project.load(file, isProject = false).firstOrNull() ?: context.getString(R.string.loaded, name)
            else -> throw IOException(context.getString(R.string.unknown_file, name))
        }

    /** Use a model as the base; return a note about its saved parts, or null. */
    private fun openModel(name: String, file: File, fill: () -> List<String> = { emptyList() }): String? {
        val isKnown = bases.findContent(file) != null
        val base = file.inputStream().use { bases.add(name, it) }
        return change(base, isKnown, fill)
    }

    /** Load a project into the open model, or into its own one if it has another base. */
    private fun openProject(name: String, file: File, mayReplace: Boolean): String? {
        val model = temporaryFile(context)
        try {
            file.inputStream().use { PersonalModel.modelOfProject(it, model) }
            val isOpen = isOpen(model)
            val replaces = if (isOpen) hasSamples() else bases.findContent(model)?.let(::hasSamples) == true
            return when {
                replaces && !mayReplace -> null
                isOpen -> load(file).firstOrNull() ?: context.getString(R.string.loaded, name)
                else -> {
                    val success = context.getString(R.string.loaded_base, name) + samplesStay()
                    openModel(name, model) { load(file) } ?: success
                }
            }
        } finally {
            model.delete()
        }
    }

    private fun load(file: File) = project.load(file, isProject = true)

    /** Return whether the open model has the base and the head of a model file. */
    private fun isOpen(file: File): Boolean {
        val open = project.model?.manifest?.fingerprints ?: return false
        val other = PersonalModel.open(file).use { it.manifest.fingerprints }
        return open.base == other.base && open.head == other.head
    }

    private fun hasSamples() = state.value.classes.any { it.samples > 0 }

    private fun hasSamples(base: Base) =
        PersonalModel.open(base.file, ModelOptions(base.samples)).use { it.samples().isNotEmpty() }

    /** Return a sentence about the samples of the open base, which stay with it; nothing if there are none. */
    private fun samplesStay(): String {
        val base = bases.chosen
        val name = if (base.isStarter) context.getString(R.string.starter) else base.name
        return if (hasSamples()) " " + context.getString(R.string.samples_stay, name) else ""
    }

    /** Use another base; if that fails, the present one stays, and an unknown one is deleted. */
    private fun change(base: Base, isKnown: Boolean, fill: () -> List<String> = { emptyList() }): String? {
        val former = bases.chosen
        val notes = try {
            project.open(base)
            fill()
        } catch (error: Exception) {
            openOrFail { former }
            if (!isKnown) {
                bases.remove(base)
            }
            list()
            throw error
        }
        bases.choose(base)
        list()
        return notes.firstOrNull()
    }

    private fun openOrFail(choose: () -> Base) {
        try {
            val base = choose()
            project.open(base)
            bases.choose(base)
        } catch (error: Exception) {
            state.update { copy(project = ProjectState.Failed(error.message ?: error.toString())) }
        }
        list()
    }

    /** Show the list of the bases. */
    private fun list() {
        val opened = bases.opened.map { OpenedBase(it.key, it.name, it.file.lastModified()) }
        state.update { copy(bases = opened) }
    }
}
