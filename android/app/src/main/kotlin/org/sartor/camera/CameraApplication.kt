package org.sartor.camera

import android.app.Application
import android.content.Context
import org.sartor.camera.frames.Camera2Source
import org.sartor.camera.frames.FrameSource
import org.sartor.camera.model.Session
import org.sartor.litert.Runtime
import org.sartor.litert.TfliteRuntime

/** The app: it holds the session, which outlives the activity. */
class CameraApplication : Application() {
    private var opened: Session? = null

    /** The session; it opens the model when it is first used. */
    val session: Session get() = opened ?: Session(this, frames(this)).also { opened = it }

    override fun onTerminate() {
        opened?.close()
        opened = null
        super.onTerminate()
    }

    companion object {
        /** Creates the source of frames. Tests replace it. */
        var frames: (Context) -> FrameSource = ::Camera2Source

        /** Loads the models. Tests replace it. */
        var runtime: Runtime = TfliteRuntime()
    }
}
