package org.sartor.camera.ui

import org.sartor.camera.R
import org.sartor.camera.frames.CameraState
import org.sartor.camera.model.Base
import org.sartor.camera.model.ProjectState
import org.sartor.camera.model.ScreenState

/** A page in the place of the preview: why there is none, and what to do. */
class Reason(
    val title: Int,
    val text: Int? = null,
    val action: Pair<Int, (Actions) -> Unit>? = null,
    val isBusy: Boolean = false,
    val offersPhotos: Boolean = action != null,
    /** A text in the place of `text`. */
    val detail: String? = null,
)

private val tryAgain = R.string.try_again to Actions::startCamera

private val CAMERA_REASONS: Map<CameraState, Reason> = mapOf(
    CameraState.OFF to Reason(R.string.starting_title, isBusy = true),
    CameraState.STARTING to Reason(R.string.starting_title, R.string.starting_text, isBusy = true),
    CameraState.DENIED to Reason(
        R.string.denied_title,
        R.string.denied_text,
        R.string.denied_action to Actions::startCamera,
    ),
    CameraState.BLOCKED to Reason(
        R.string.denied_title,
        R.string.blocked_text,
        R.string.blocked_action to Actions::openSettings,
    ),
    CameraState.MISSING to Reason(R.string.missing_title, R.string.missing_text, offersPhotos = true),
    CameraState.BUSY to Reason(R.string.busy_title, R.string.busy_text, tryAgain),
    CameraState.LOST to Reason(R.string.lost_title, R.string.lost_text, tryAgain),
)

/** Return the page for a state, or null if there is a preview. */
fun reasonOf(state: ScreenState): Reason? = when (val project = state.project) {
    is ProjectState.Opening -> CAMERA_REASONS[state.camera] // the preview does not wait for the model
    is ProjectState.Failed -> Reason(
        R.string.failed_title,
        action = R.string.starter_again to { it.openBase(Base.STARTER) },
        offersPhotos = false,
        detail = project.reason,
    )
    is ProjectState.Open -> when {
        state.storageError != null -> Reason(
            R.string.storage_title,
            action = R.string.try_again to Actions::clearStorageError,
            offersPhotos = false,
            detail = state.storageError,
        )
        state.photo != null -> null
        else -> CAMERA_REASONS[state.camera]
    }
}
