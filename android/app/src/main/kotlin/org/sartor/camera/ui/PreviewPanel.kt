package org.sartor.camera.ui

import android.text.SpannableString
import android.text.style.ForegroundColorSpan
import android.view.View
import android.widget.ImageButton
import android.widget.ImageView
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.frames.Frame
import org.sartor.camera.model.ProjectState
import org.sartor.camera.model.ScreenState
import kotlin.math.roundToInt

/** The preview: the frame and its class, or the reason for a missing frame. */
class PreviewPanel(private val root: View, private val actions: Actions) {
    private val context = root.context
    private val frame: FrameView = root.find(R.id.frame)
    private val square: View = root.find(R.id.square)
    private val badge: TextView = root.find(R.id.badge)
    private val flip: ImageButton = root.find(R.id.flip)
    private val back: TextView = root.find(R.id.back_to_camera)
    private val verdict: TextView = root.find(R.id.verdict)
    private val reason: View = root.find(R.id.reason)
    private val reasonAction: TextView = root.find(R.id.reason_action)

    init {
        flip.setOnClickListener { actions.switchCamera() }
        back.setOnClickListener { actions.clearPhoto() }
        root.find<View>(R.id.reason_photo).setOnClickListener { actions.choosePhotoToPredict() }
    }

    /** Show a frame of the camera. */
    fun show(next: Frame) {
        frame.isMirrored = next.isMirrored
        frame.show(next.image)
    }

    /** Show a state. */
    fun render(state: ScreenState, cameras: Int) {
        val page = reasonOf(state)
        reason.isShownAtAll = page != null
        square.isShownAtAll = page == null
        verdict.isShownAtAll = page == null
        page?.let { renderReason(it) }
        if (state.photo != null) {
            frame.isMirrored = false
            frame.show(state.photo)
        }
        val best = state.recording ?: state.prediction?.best
        frame.borderColor = state.classes.find { it.name == best }?.let { context.classColor(it.color) }
        frame.isRecording = state.recording != null
        renderBadge(state, isVisible = page == null)
        flip.isShownAtAll = page == null && cameras > 1 && state.photo == null
        back.isShownAtAll = state.photo != null
        renderVerdict(state)
    }

    private fun renderBadge(state: ScreenState, isVisible: Boolean) {
        val recording = state.recording
        val speed = state.speed
        val text = when {
            !isVisible || state.photo != null -> null
            recording != null && state.isTest -> context.getString(R.string.recording_test, recording)
            recording != null -> context.getString(R.string.recording, recording)
            speed != null -> context.getString(R.string.speed, speed.framesPerSecond, speed.milliseconds)
            else -> null
        }
        badge.isShownAtAll = text != null
        badge.show(text)
    }

    private fun renderVerdict(state: ScreenState) {
        val prediction = state.prediction.takeIf { state.project is ProjectState.Open }
        if (state.classes.sumOf { it.samples } == 0 || prediction == null) {
            verdict.show(hintOf(state)?.let(context::getString) ?: "")
            verdict.setTextColor(context.getColor(R.color.ink_quiet))
            verdict.textSize = 17f
            verdict.maxLines = 2
            return
        }
        verdict.textSize = 26f
        verdict.maxLines = 1
        verdict.setTextColor(context.getColor(R.color.ink))
        val shown = state.classes.find { it.name == prediction.best }
        if (shown == null) {
            verdict.show(context.getString(R.string.none_of_these))
            return
        }
        val percent = context.getString(R.string.percent, (100 * (prediction.probabilities[shown.name] ?: 0f)).roundToInt())
        val text = SpannableString("${shown.name}  $percent")
        text.setSpan(ForegroundColorSpan(context.classColor(shown.color)), shown.name.length, text.length, 0)
        verdict.text = text
    }

    /** Return the text in the place of a class, or null. */
    private fun hintOf(state: ScreenState): Int? = when {
        state.project is ProjectState.Opening -> R.string.opening
        state.classes.isNotEmpty() && state.classes.all { it.samples == 0 } -> R.string.first_hint
        else -> null
    }

    private fun renderReason(page: Reason) {
        root.find<View>(R.id.reason_busy).isShownAtAll = page.isBusy
        root.find<ImageView>(R.id.reason_icon).isShownAtAll = !page.isBusy
        root.find<TextView>(R.id.reason_title).show(context.getString(page.title))
        root.find<TextView>(R.id.reason_text).apply {
            show(page.detail ?: page.text?.let(context::getString))
            isShownAtAll = text.isNotEmpty()
        }
        reasonAction.isShownAtAll = page.action != null
        page.action?.let { (label, act) ->
            reasonAction.show(context.getString(label))
            reasonAction.setOnClickListener { act(actions) }
        }
        root.find<View>(R.id.reason_photo).isShownAtAll = page.offersPhotos
    }
}
