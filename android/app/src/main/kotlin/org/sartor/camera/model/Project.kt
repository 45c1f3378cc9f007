package org.sartor.camera.model

import android.content.Context
import org.sartor.ClassSummary
import org.sartor.History
import org.sartor.Input
import org.sartor.ModelOptions
import org.sartor.PersonalModel
import org.sartor.SampleOptions
import org.sartor.camera.CameraApplication
import org.sartor.camera.R
import java.io.File

/** Key of the places of the classes in the app data. */
const val LAYOUT: String = "camera/layout"

/**
 * The open model, its classes and its samples.
 *
 * Every method blocks; `Session` calls them in a background thread.
 */
class Project(private val context: Context, private val state: StateHolder) {
    private val thumbnails = Thumbnails()
    private var places: List<Place> = emptyList()

    /** The classes with training samples, and whether they are trained: their weights depend on it. */
    @Volatile
    private var weightsOf = emptyList<Pair<String, Boolean>>()

    /** The open model, or null. */
    @Volatile
    var model: PersonalModel? = null
        private set

    /** The base of the open model, or null. */
    @Volatile
    var base: Base? = null
        private set

    /** Open a base with its samples; the present one stays. */
    fun load(base: Base): PersonalModel {
        val options = ModelOptions(base.samples, thumbnails = true, photos = true, runtime = CameraApplication.runtime)
        return PersonalModel.open(base.file, options)
    }

    /** Use an open model in the place of the present one, which is closed. */
    fun use(base: Base, opened: PersonalModel) {
        try {
            setUnfinishedTraining(false) // closing the model ends its training
            close()
            use(opened)
        } catch (error: Throwable) {
            model = null
            opened.close()
            throw error
        }
        this.base = base
        show()
        opened.notes.firstOrNull()?.let { state.update { copy(message = Message(it)) } }
    }

    /** Show that the model is open. */
    fun show() {
        val (opened, shown) = (model ?: return) to (base ?: return)
        state.update { copy(project = ProjectState.Open(shown.name, shown.key), capacity = opened.capacity) }
    }

    /** Return the samples, to move to another base. */
    fun moving(name: String): Moving? = model?.let { Moving(it, name, places) }

    /** Add a sample to a model, unless another one is open by now. */
    fun addSample(opened: PersonalModel, input: Input, label: String, heldOut: Boolean, features: List<FloatArray>?) {
        if (opened !== model) return
        val before = opened.classes().find { it.name == label }?.samples ?: 0
        val id = opened.addSample(input, label, SampleOptions(heldOut = heldOut, features = features))
        val now = opened.classes().find { it.name == label }?.samples ?: 0
        if (now > before) {
            thumbnails.load(opened, label, id, heldOut)
        }
        refresh()
    }

    /** Add a class with a new name. */
    fun addClass() {
        val names = state.value.classes.map { it.name }
        val number = generateSequence(names.size + 1) { it + 1 }.first { nameOf(it) !in names }
        model?.addClass(nameOf(number))
        refresh()
    }

    /** Rename a class. */
    fun renameClass(label: String, name: String) {
        val opened = model ?: return
        opened.renameClass(label, name)
        store(places.map { if (it.name == label) it.copy(name = name) else it })
        thumbnails.rename(label, name)
        refresh()
    }

    /** Delete a class and its samples. */
    fun removeClass(label: String) {
        model?.removeClass(label)
        thumbnails.removeClass(label)
        refresh()
    }

    /** Delete samples; a class that loses its last one stays, without samples. */
    fun forget(label: String, ids: List<Long>) {
        val opened = model ?: return
        opened.forget(*ids.toLongArray())
        thumbnails.remove(label, ids)
        if (opened.classes().none { it.name == label }) {
            opened.addClass(label)
        }
        refresh()
    }

    /** Delete all classes and samples, and start with empty classes. */
    fun clear() {
        val opened = model ?: return
        removeClasses(opened)
        saveTraining(opened, null)
        use(opened)
    }

    /** Load a checkpoint into the model; return messages about other parts. */
    fun loadCheckpoint(file: File): List<String> {
        val opened = model ?: return emptyList()
        val notes = opened.loadCheckpoint(file)
        saveTraining(opened, null) // the stored result is that of other weights
        use(opened)
        return notes
    }

    /** Load a project into the model; return messages about other parts. */
    fun importProject(file: File): List<String> {
        val opened = model ?: return emptyList()
        return opened.importProject(file).also { use(opened) }
    }

    /** Return all thumbnails of a class. */
    fun allThumbnails(label: String): List<Thumbnail> = model?.let { thumbnails.all(it, label) }.orEmpty()

    /** Note that a training begins: if the process ends meanwhile, no result of other weights is left. */
    fun beginTraining() {
        model?.let { saveTraining(it, null) }
        setUnfinishedTraining(true)
    }

    /** Store the result of a training, which the app shows again when it is opened, and return it. */
    fun endTraining(history: History): TrainingState {
        setUnfinishedTraining(false)
        val opened = model ?: return TrainingState()
        return trainingState(opened, history).also { saveTraining(opened, it) }
    }

    /** Note that a training runs, or that it has ended. */
    fun setUnfinishedTraining(isRunning: Boolean) {
        model?.setAppData(UNFINISHED, if (isRunning) "" else null)
    }

    /** Return whether a training ran when the process ended, and forget it. */
    fun takeUnfinishedTraining(): Boolean =
        (model?.appData(UNFINISHED).orEmpty().isNotEmpty()).also { if (it) setUnfinishedTraining(false) }

    /** Read the classes from the model. */
    fun refresh() {
        val opened = model ?: return
        val classes = opened.classes()
        val arranged = arrange(places, classes.map { it.name })
        if (arranged != places) {
            store(arranged)
        }
        val shown = arranged.map { place ->
            val summary = classes.first { it.name == place.name }
            ClassState(place.name, place.color, summary.samples, summary.heldOut, thumbnails.of(place.name))
        }
        state.update { copy(classes = shown) }
        hideOutdated(opened, classes)
    }

    /** Close the model. */
    fun close() {
        val opened = model
        model = null
        base = null
        opened?.close()
    }

    /** Hide the result of the training if the weights have changed since, because a class has come or gone. */
    private fun hideOutdated(opened: PersonalModel, classes: List<ClassSummary>) {
        val now = classes.filter { it.samples > it.heldOut }.map { it.name to it.isTrained }
        if (now == weightsOf) return
        weightsOf = now
        val shown = state.value.training
        if (shown.phase == TrainingState.Phase.IDLE && !isCurrent(opened, shown)) {
            state.update { if (training === shown) copy(training = TrainingState()) else this }
        }
    }

    private fun use(opened: PersonalModel) {
        places = readPlaces(opened.appData(LAYOUT)[LAYOUT])
        if (opened.classes().isEmpty()) {
            repeat(minOf(FIRST_CLASSES, opened.capacity)) { opened.addClass(nameOf(it + 1)) }
        }
        thumbnails.loadAll(opened)
        model = opened
        refresh()
        val training = loadTraining(opened)
        state.update { copy(training = training, evaluation = null, prediction = null) }
    }

    private fun nameOf(number: Int) = context.getString(R.string.class_number, number)

    private fun store(value: List<Place>) {
        places = value
        model?.setAppData(LAYOUT, writePlaces(value))
    }

    private companion object {
        const val FIRST_CLASSES = 4
        const val UNFINISHED = "camera/unfinished-training"
    }
}
