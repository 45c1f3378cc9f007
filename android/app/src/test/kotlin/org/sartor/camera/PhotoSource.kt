package org.sartor.camera

import android.graphics.Bitmap
import org.sartor.camera.frames.CameraState
import org.sartor.camera.frames.Frame
import org.sartor.camera.frames.FrameSource

/** A camera in front of which a test holds photos. */
class PhotoSource(private val state: CameraState = CameraState.ON) : FrameSource {
    @Volatile
    private var listener: FrameSource.Listener? = null

    override val cameras = 1

    /** Whether the camera is in use. */
    val isOn get() = listener != null

    /** Hold a photo in front of the camera. */
    fun show(photo: Bitmap) {
        listener?.onFrame(Frame(photo))
    }

    override fun start(listener: FrameSource.Listener) {
        this.listener = listener
        listener.onState(state)
    }

    override fun switchCamera() {}

    override fun setDisplayRotation(degrees: Int) {}

    override fun stop() {
        listener = null
    }
}
