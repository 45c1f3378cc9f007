package org.sartor.camera.frames

import android.graphics.Bitmap

/** The states of a camera. */
enum class CameraState { OFF, STARTING, ON, DENIED, BLOCKED, MISSING, BUSY, LOST }

/** A frame: an upright square image. */
class Frame(
    /** Pixels, ARGB_8888; nobody changes them. */
    val image: Bitmap,
    /** Whether the preview shows it as in a mirror. */
    val isMirrored: Boolean = false,
)

/** The source of frames: the camera, or photos in a test. */
interface FrameSource {
    /** Number of cameras; another one can be chosen if there are several. */
    val cameras: Int

    /** Start, or start again after an error. The listener is called in a background thread. */
    fun start(listener: Listener)

    /** Use the next camera. */
    fun switchCamera()

    /** Set the rotation of the display in degrees: 0, 90, 180 or 270. */
    fun setDisplayRotation(degrees: Int)

    /** Stop, and release the camera. */
    fun stop()

    /** Receives frames and states. */
    interface Listener {
        /** A new frame. */
        fun onFrame(frame: Frame)

        /** A new state. */
        fun onState(state: CameraState)
    }
}
