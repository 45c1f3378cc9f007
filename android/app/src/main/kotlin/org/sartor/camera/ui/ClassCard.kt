package org.sartor.camera.ui

import android.content.res.ColorStateList
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.RippleDrawable
import android.text.SpannableStringBuilder
import android.text.style.ForegroundColorSpan
import android.text.style.RelativeSizeSpan
import android.view.View
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.model.ClassState
import org.sartor.camera.model.ScreenState
import kotlin.math.roundToInt

/** The card of a class: its name, its confidence, its samples, and the button that records. */
class ClassCard(val root: View, private val actions: Actions) {
    private val context = root.context
    private val name: TextView = root.find(R.id.name)
    private val more: View = root.find(R.id.more)
    private val bar: ConfidenceBar = root.find(R.id.bar)
    private val percent: TextView = root.find(R.id.percent)
    private val strip: ThumbnailStrip = root.find(R.id.strip)
    private val count: TextView = root.find(R.id.count)
    private val hold: HoldButton = root.find(R.id.hold)
    private val background = GradientDrawable()
    private val holdBackground = GradientDrawable()
    private var current: ClassState? = null
    private var isBest = false

    init {
        background.cornerRadius = context.dp(20)
        background.setColor(context.getColor(R.color.surface))
        root.background = background
        holdBackground.cornerRadius = context.dp(16)
        hold.background = RippleDrawable(ColorStateList.valueOf(context.getColor(R.color.ripple)), holdBackground, null)
        val open = View.OnClickListener { current?.let { actions.openClass(it.name) } }
        name.setOnClickListener(open)
        more.setOnClickListener(open)
        hold.onHold = { held -> current?.let { actions.record(it.name, held) } }
    }

    /** Show a class. */
    fun render(value: ClassState, state: ScreenState) {
        if (value != current) {
            renderClass(value)
        }
        current = value
        renderConfidence(value, state)
        renderRecording(value, state.recording == value.name)
    }

    private fun renderClass(value: ClassState) {
        val color = context.classColor(value.color)
        name.show(value.name)
        name.contentDescription = context.getString(R.string.name_description, value.name)
        more.contentDescription = context.getString(R.string.more_description, value.name)
        hold.contentDescription = context.getString(R.string.hold_description, value.name)
        strip.show(value.thumbnails, color)
        count.show(countText(value))
        count.contentDescription = describeCount(value)
        isBest = false
        background.setStroke(0, 0)
    }

    private fun countText(value: ClassState): CharSequence {
        val text = SpannableStringBuilder((value.samples - value.heldOut).toString())
        if (value.heldOut > 0) {
            val start = text.length
            text.append(" +${value.heldOut}")
            text.setSpan(ForegroundColorSpan(context.getColor(R.color.ink_quiet)), start, text.length, 0)
            text.setSpan(RelativeSizeSpan(0.85f), start, text.length, 0)
        }
        return text
    }

    private fun describeCount(value: ClassState): String {
        val training = value.samples - value.heldOut
        val parts = mutableListOf(context.resources.getQuantityString(R.plurals.count_description, training, training))
        if (value.heldOut > 0) {
            parts += context.resources.getQuantityString(R.plurals.test_count_description, value.heldOut, value.heldOut)
        }
        return parts.joinToString()
    }

    private fun renderConfidence(value: ClassState, state: ScreenState) {
        val prediction = state.prediction
        val probability = if (value.samples == 0) 0f else prediction?.probabilities?.get(value.name) ?: 0f
        val isKnown = prediction?.isInDistribution != false
        val color = context.classColor(value.color)
        bar.show(probability, if (isKnown) color else context.getColor(R.color.ink_quiet))
        val rounded = (100 * probability).roundToInt()
        percent.show(
            if (value.samples == 0) context.getString(R.string.no_percent) else context.getString(R.string.percent, rounded),
        )
        bar.contentDescription = context.getString(R.string.confidence_description, value.name, rounded)
        val best = prediction?.best == value.name && value.samples > 0
        if (best != isBest) {
            isBest = best
            background.setStroke(if (best) context.dp(2).roundToInt() else 0, color)
        }
    }

    private fun renderRecording(value: ClassState, isRecording: Boolean) {
        val color = context.classColor(value.color)
        val surface = context.getColor(R.color.surface)
        hold.show(holdText(color, isRecording))
        hold.setTextColor(if (isRecording) surface else context.getColor(R.color.ink))
        holdBackground.setColor(if (isRecording) color else mix(color, surface, 0.14f))
    }

    private fun holdText(color: Int, isRecording: Boolean): CharSequence {
        val label = context.getString(if (isRecording) R.string.hold_held else R.string.hold)
        val text = SpannableStringBuilder("●  $label")
        if (!isRecording) {
            text.setSpan(ForegroundColorSpan(color), 0, 1, 0)
        }
        return text
    }
}
