package org.sartor.camera.ui

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.util.AttributeSet
import android.view.View
import org.sartor.camera.R

/** The probability of a class as a bar. */
class ConfidenceBar(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val track = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.getColor(R.color.sunken) }
    private val fill = Paint(Paint.ANTI_ALIAS_FLAG)
    private var probability = 0f

    /** Show a probability, 0…1, in a color. */
    fun show(value: Float, color: Int) {
        if (value != probability || color != fill.color) {
            probability = value
            fill.color = color
            invalidate()
        }
    }

    override fun onDraw(canvas: Canvas) {
        val radius = height / 2f
        val end = width * probability
        canvas.drawRoundRect(0f, 0f, width.toFloat(), height.toFloat(), radius, radius, track)
        if (end < 1) {
            return
        }
        val isRightToLeft = layoutDirection == LAYOUT_DIRECTION_RTL
        val start = if (isRightToLeft) width - end else 0f
        canvas.drawRoundRect(start, 0f, start + end, height.toFloat(), radius, radius, fill)
    }
}
