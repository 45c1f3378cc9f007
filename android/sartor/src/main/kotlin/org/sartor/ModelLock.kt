package org.sartor

import android.os.StrictMode
import java.util.concurrent.locks.ReentrantLock

/**
 * The lock of a model: held while samples are read or changed.
 *
 * It tells StrictMode that the call may block, so that `detectCustomSlowCalls` detects it in the
 * main thread of an app.
 */
internal class ModelLock : ReentrantLock() {
    override fun lock() {
        noteSlowCall()
        super.lock()
    }
}

/** Tell StrictMode that the present call may block its thread. */
internal fun noteSlowCall(): Unit = StrictMode.noteSlowCall("PersonalModel")
