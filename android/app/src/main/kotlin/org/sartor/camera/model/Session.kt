package org.sartor.camera.model

import android.content.Context
import android.os.Handler
import android.os.Looper
import org.sartor.History
import org.sartor.Input
import org.sartor.PersonalModel
import org.sartor.Predictions
import org.sartor.StorageError
import org.sartor.camera.R
import org.sartor.camera.files.decodePhoto
import org.sartor.camera.files.deleteCopies
import org.sartor.camera.frames.CameraState
import org.sartor.camera.frames.Frame
import org.sartor.camera.frames.FrameSource
import java.io.File
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit

/**
 * The work of the app: it lives as long as the process, so that a rotation interrupts nothing.
 *
 * Methods return at once. Everything that reads or computes runs in background threads.
 */
class Session(private val context: Context, val frames: FrameSource) : FrameSource.Listener {
    /** The state of the screen. */
    val state = StateHolder()

    /** Called in the main thread with each frame of the camera, and first with the last one. */
    var onFrame: ((Frame) -> Unit)? = null
        set(value) {
            field = value
            lastFrame?.let { value?.invoke(it) }
        }

    private var lastFrame: Frame? = null // of the running camera; only the main thread uses it

    private val main = Handler(Looper.getMainLooper())
    private val work = Executors.newSingleThreadExecutor { Thread(it, "model") }
    private val project = Project(context, state)
    private val files = OpenedFiles(context, state, project)
    private var waiting: Pair<String, File>? = null // a project whose replacement the user is asked for
    private val predictor = Predictor(project, state, ::report)
    private val trainer = Trainer(project, state) { error ->
        perform { project.setUnfinishedTraining(false) }
        report(error)
    }

    init {
        perform {
            deleteCopies(context)
            files.openLast()
            if (project.takeUnfinishedTraining()) startTraining()
        }
    }

    /** Start the camera. */
    fun startCamera() {
        state.update { copy(camera = CameraState.STARTING) }
        frames.start(this)
    }

    /** Stop the camera; the app is no longer visible. */
    fun stopCamera() {
        frames.stop()
        lastFrame = null
        state.update { copy(camera = CameraState.OFF, recording = null) }
    }

    override fun onFrame(frame: Frame) {
        main.post { show(frame) }
        predictor.offer(frame)
    }

    override fun onState(state: CameraState) = this.state.update {
        copy(camera = state, recording = recording.takeIf { state == CameraState.ON })
    }

    private fun show(frame: Frame) {
        if (state.value.photo == null && state.value.camera == CameraState.ON) {
            lastFrame = frame
            onFrame?.invoke(frame)
        }
    }

    /** Record frames as samples of a class, or end the recording of it. */
    fun record(label: String, held: Boolean) {
        val shown = state.value
        if (held && shown.project !is ProjectState.Open) {
            return
        }
        if (held && shown.camera != CameraState.ON) {
            tell(context.getString(R.string.camera_off), isError = true)
            return
        }
        state.update {
            when {
                held -> copy(recording = label, photo = null)
                recording == label -> copy(recording = null)
                else -> this
            }
        }
    }

    /** Choose whether new samples are test samples. */
    fun setTest(isTest: Boolean) = state.update { copy(isTest = isTest) }

    /** Add a class without samples. */
    fun addClass() = perform { project.addClass() }

    /** Rename a class. */
    fun renameClass(label: String, name: String) = perform { project.renameClass(label, name) }

    /** Delete a class and its samples. */
    fun removeClass(label: String) = perform {
        project.removeClass(label)
        trainer.evaluate()
    }

    /** Delete samples of a class. */
    fun forget(label: String, ids: List<Long>) = perform {
        project.forget(label, ids)
        trainer.evaluate()
        loadSheet(label)
    }

    /** Open the sheet of a class. */
    fun openClass(label: String) {
        state.update { copy(sheet = Sheet.Samples(label)) }
        perform { loadSheet(label) }
    }

    /** Open a sheet, or close it. */
    fun setSheet(sheet: Sheet?) = state.update { copy(sheet = sheet) }

    /** Train on all training samples. A training that ends with the process starts again, once. */
    fun train() = perform {
        project.beginTraining()
        startTraining()
    }

    /** Pause the training, or let it continue. */
    fun pauseOrResume() = trainer.pauseOrResume()

    /** Stop the training. */
    fun stopTraining() = trainer.stop()

    /** Measure the model on the test samples. */
    fun evaluate() = perform { trainer.evaluate() }

    /** Predict a photo, and show it in the place of the camera. */
    fun predictPhoto(read: () -> ByteArray) = perform {
        val model = project.model ?: return@perform
        val content = read()
        val prediction = model.predict(Input.of(content))
        state.update { copy(photo = decodePhoto(content), prediction = predictionState(prediction)) }
    }

    /** Show the camera again. */
    fun clearPhoto() = state.update { copy(photo = null, prediction = null) }

    /** Add photos to a class. */
    fun addPhotos(label: String, photos: List<() -> ByteArray>) = perform {
        val model = project.model ?: return@perform
        for ((i, read) in photos.withIndex()) {
            state.update { copy(message = Message(context.getString(R.string.adding_photos, i + 1, photos.size))) }
            project.addSample(model, Input.of(read()), label, state.value.isTest, null)
        }
        state.update { copy(message = null) }
        loadSheet(label)
    }

    /** Work with the model in a background thread. */
    fun withModel(action: (PersonalModel) -> Unit) = perform { project.model?.let(action) }

    /** Open a file of the user; `copy` copies it into the cache. */
    fun openFile(name: String, copy: () -> File) = perform {
        waiting?.second?.delete()
        waiting = name to copy()
        openWaiting(mayReplace = false)
    }

    /** Open the project that replaces samples; the user has agreed. */
    fun replaceSamples() = perform { openWaiting(mayReplace = true) }

    /** Open a base of the list; the samples move to it. */
    fun openBase(key: String) = perform { files.openBase(key, mayLeave = false)?.let(::tell) }

    /** Open a base although some samples cannot move to it; the user has agreed. */
    fun leaveSamples(key: String) = perform { files.openBase(key, mayLeave = true)?.let(::tell) }

    /** Delete a base that is not open, and its samples. */
    fun removeBase(key: String) = perform { files.removeBase(key) }

    /** Delete all classes and samples. */
    fun clearProject() = perform { project.clear() }

    /** Save the weights; the samples are stored at once. */
    fun save() = perform { project.model?.save() }

    /** Show a message. */
    fun tell(text: String, isError: Boolean = false) = state.update { copy(message = Message(text, isError)) }

    /** Try again after the storage was full. */
    fun clearStorageError() = state.update { copy(storageError = null) }

    /** Hide the message. */
    fun dismissMessage() = state.update { copy(message = null) }

    /** Save, and release everything; the session cannot be used afterwards. */
    fun close() {
        frames.stop()
        perform { project.close() }
        work.shutdown()
        work.awaitTermination(1, TimeUnit.MINUTES)
        predictor.close()
    }

    private fun startTraining() = trainer.start { model, history -> perform { finish(model, history) } }

    private fun finish(model: PersonalModel, history: History) {
        if (project.model !== model) return // another base is open
        val ended = project.endTraining(history)
        trainer.evaluate()
        project.refresh()
        state.update { copy(training = ended) }
    }

    private fun openWaiting(mayReplace: Boolean) {
        val (name, file) = waiting ?: return
        waiting = null
        var isAsked = false
        try {
            val text = files.open(name, file, mayReplace)
            isAsked = text == null && state.value.sheet is Sheet.Replacement
            text?.let(::tell)
        } finally {
            if (!isAsked) {
                file.delete()
            }
        }
        if (isAsked) {
            waiting = name to file
        }
    }

    private fun loadSheet(label: String) {
        if ((state.value.sheet as? Sheet.Samples)?.label != label) {
            return
        }
        val loaded = Sheet.Samples(label, project.allThumbnails(label))
        state.update { if ((sheet as? Sheet.Samples)?.label == label) copy(sheet = loaded) else this }
    }

    private fun perform(action: () -> Unit) {
        if (work.isShutdown) {
            return
        }
        work.execute {
            try {
                action()
            } catch (error: Exception) {
                report(error)
            } catch (_: OutOfMemoryError) {
                tell(context.getString(R.string.no_memory), isError = true) // a file of gigabytes
            }
        }
    }

    /** Show an error: a page if nothing can be stored, a message otherwise. */
    fun report(error: Throwable) {
        if (error is StorageError) {
            state.update { copy(storageError = error.message, recording = null) }
        } else {
            tell(error.message ?: error.toString(), isError = true)
        }
    }
}

/** Return the state of predictions. */
fun predictionState(predictions: Predictions): PredictionState = PredictionState(
    predictions.best?.label,
    predictions.ranking.associate { it.label to it.probability },
    predictions.inDistribution != false,
)
