package org.sartor.camera.model

import android.os.Handler
import android.os.Looper
import java.util.concurrent.atomic.AtomicBoolean

/** The state of the screen: any thread changes it, the main thread shows it. */
class StateHolder {
    private val main = Handler(Looper.getMainLooper())
    private val isPosted = AtomicBoolean()

    /** The present state. */
    @Volatile
    var value: ScreenState = ScreenState()
        private set

    /** Called in the main thread, once for all changes since the last call. */
    var listener: ((ScreenState) -> Unit)? = null
        set(value) {
            field = value
            value?.invoke(this.value)
        }

    /** Change the state. */
    fun update(change: ScreenState.() -> ScreenState) {
        synchronized(this) { value = value.change() }
        if (!isPosted.getAndSet(true)) {
            main.post {
                isPosted.set(false)
                listener?.invoke(value)
            }
        }
    }
}
