package org.sartor.camera.ui

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.util.AttributeSet
import android.view.View
import org.sartor.camera.R

/** The loss of the epochs as a line; space is left for the epochs to come. */
class LossCurve(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val area = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.getColor(R.color.accent_soft) }
    private val line = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.accent)
        style = Paint.Style.STROKE
        strokeWidth = context.dp(2.5)
        strokeJoin = Paint.Join.ROUND
        strokeCap = Paint.Cap.ROUND
    }
    private var losses: List<Float> = emptyList()
    private var epochs = 0
    private val path = Path()

    /** Show losses, and the number of epochs that the width stands for. */
    fun show(values: List<Float>, width: Int) {
        if (values !== losses || width != epochs) {
            losses = values
            epochs = width
            invalidate()
        }
    }

    override fun onDraw(canvas: Canvas) {
        if (losses.size < 2) {
            return
        }
        val edge = line.strokeWidth
        val highest = maxOf(losses.max(), 1e-9f)
        val step = (width - 2 * edge) / (maxOf(epochs, losses.size) - 1)
        path.rewind()
        losses.forEachIndexed { i, loss ->
            val y = edge + (1 - loss / highest) * (height - 2 * edge)
            if (i == 0) path.moveTo(edge, y) else path.lineTo(edge + i * step, y)
        }
        val end = edge + (losses.size - 1) * step
        val under = Path(path)
        under.lineTo(end, height.toFloat())
        under.lineTo(edge, height.toFloat())
        under.close()
        canvas.drawPath(under, area)
        canvas.drawPath(path, line)
    }
}
