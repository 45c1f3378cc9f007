package org.sartor.camera.model

import android.os.SystemClock
import org.sartor.Input
import org.sartor.camera.frames.Frame
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicReference
import kotlin.math.roundToInt

/**
 * The live predictions: it predicts the newest frame, and adds it as a sample during a recording.
 *
 * One frame is computed at a time; frames that come meanwhile are shown, but neither predicted nor added.
 */
class Predictor(private val project: Project, private val state: StateHolder, private val onError: (Throwable) -> Unit) {
    private val thread = Executors.newSingleThreadExecutor { Thread(it, "frames") }
    private val next = AtomicReference<Frame?>()
    private val times = ArrayDeque<LongRange>()

    /** Predict a frame as soon as the frames before it are done. */
    fun offer(frame: Frame) {
        if (next.getAndSet(frame) == null && !thread.isShutdown) {
            thread.execute { next.getAndSet(null)?.let(::compute) }
        }
    }

    /** Stop after the present frame. */
    fun close() = thread.shutdown()

    private fun compute(frame: Frame) {
        val model = project.model ?: return
        val shown = state.value
        if (shown.photo != null) {
            return
        }
        val start = SystemClock.elapsedRealtime()
        try {
            val input = Input.of(frame.image)
            val label = shown.recording
            val prediction = model.predict(input)
            state.update { copy(prediction = predictionState(prediction)) }
            if (label != null) {
                project.addSample(model, input, label, shown.isTest, prediction.features)
            }
            measure(start, SystemClock.elapsedRealtime())
        } catch (error: Exception) {
            // The model is closed while another one is opened; everything else is an error.
            if (project.model === model) {
                state.update { copy(recording = null) }
                onError(error)
            }
        }
    }

    private fun measure(start: Long, end: Long) {
        times.addLast(start..end)
        if (times.size > WINDOW) {
            val first = times.removeFirst()
            val busy = times.sumOf { it.last - it.first }
            val passed = maxOf(1L, end - first.last)
            val speed = Speed((1000f * WINDOW / passed).roundToInt(), (busy.toFloat() / WINDOW).roundToInt())
            state.update { copy(speed = speed) }
        }
    }

    private companion object {
        /** Number of frames of the mean time. */
        const val WINDOW = 20
    }
}
