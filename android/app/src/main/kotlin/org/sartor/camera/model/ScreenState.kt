package org.sartor.camera.model

import android.graphics.Bitmap
import org.sartor.camera.frames.CameraState

/** Everything that the screen shows, apart from the frames of the camera. */
data class ScreenState(
    val project: ProjectState = ProjectState.Opening,
    val classes: List<ClassState> = emptyList(),
    /** The bases that the user has opened, the last one first. */
    val bases: List<OpenedBase> = emptyList(),
    val capacity: Int = 0,
    val camera: CameraState = CameraState.OFF,
    val prediction: PredictionState? = null,
    val speed: Speed? = null,
    /** The class that is recorded. */
    val recording: String? = null,
    /** Whether new samples are test samples, which never train. */
    val isTest: Boolean = false,
    /** A photo in the place of the camera. */
    val photo: Bitmap? = null,
    val training: TrainingState = TrainingState(),
    /** The result on the test samples; null if there are none. */
    val evaluation: EvaluationState? = null,
    val sheet: Sheet? = null,
    /** Why nothing can be stored; null if samples can be added. */
    val storageError: String? = null,
    val message: Message? = null,
) {
    /** Whether two classes have training samples. */
    val canTrain: Boolean get() = classes.count { it.samples > it.heldOut } > 1

    /** Number of test samples. */
    val testSamples: Int get() = classes.sumOf { it.heldOut }
}

/** The state of the model. */
sealed class ProjectState {
    /** The model is being opened. */
    object Opening : ProjectState()

    /** The model is open; `base` is the name of its file, `key` that of the base. */
    data class Open(val base: String, val key: String) : ProjectState()

    /** The model cannot be opened. */
    data class Failed(val reason: String) : ProjectState()
}

/** A base that the user has opened. */
data class OpenedBase(
    val key: String,
    /** Name of its file; null if the file is gone, and only samples are left. */
    val name: String?,
    /** Time of the opening in milliseconds. */
    val time: Long,
    /** Size of its file and its samples. */
    val bytes: Long,
)

/** A class on the screen. */
data class ClassState(
    val name: String,
    /** Number of its color. */
    val color: Int,
    /** Number of its samples, test samples included. */
    val samples: Int = 0,
    /** Number of its test samples. */
    val heldOut: Int = 0,
    /** Its newest samples, the newest first. */
    val thumbnails: List<Thumbnail> = emptyList(),
)

/** A sample on the screen. */
class Thumbnail(val id: Long, val image: Bitmap, val heldOut: Boolean)

/** The prediction for one frame. */
class PredictionState(
    /** The class; null if the frame resembles none. */
    val best: String?,
    /** Class name → probability. */
    val probabilities: Map<String, Float>,
    val isInDistribution: Boolean,
)

/** The speed of the predictions. */
data class Speed(val framesPerSecond: Int, val milliseconds: Int)

/** The running or the last training. */
data class TrainingState(
    val phase: Phase = Phase.IDLE,
    /** Mean loss of each epoch. */
    val losses: List<Float> = emptyList(),
    /** Number of epochs of this training. */
    val epochs: Int = 0,
    val result: TrainingResult? = null,
) {
    /** What the training does. */
    enum class Phase { IDLE, RUNNING, PAUSED }
}

/** The result of a training. */
data class TrainingResult(
    /** Expected accuracy on new images, 0…1; null if it is unknown. */
    val expectedAccuracy: Float?,
    val samples: Int,
    val warnings: List<String>,
    /** Digest of the weights after the training; null if another app has stored none. */
    val weights: String? = null,
)

/** The result on the test samples. */
class EvaluationState(
    /** Fraction of correct predictions, 0…1. */
    val accuracy: Float,
    val samples: Int,
    /** Class names, in the order of `confusion`. */
    val labels: List<String>,
    /** Rows: true classes. Columns: predictions. */
    val confusion: List<List<Int>>,
)

/** An open sheet. */
sealed class Sheet {
    /** The files and the base of the project. */
    object Project : Sheet()

    /** The question before the project in a file replaces samples. */
    data class Replacement(val file: String) : Sheet()

    /** The question before another base is opened to which some samples cannot move: they stay with `former`. */
    data class Leaving(val key: String, val base: String, val former: String, val samples: Int, val total: Int) : Sheet()

    /** The samples of a class. */
    data class Samples(val label: String, val thumbnails: List<Thumbnail> = emptyList()) : Sheet()
}

/** A message at the bottom of the screen. */
data class Message(val text: String, val isError: Boolean = false)
