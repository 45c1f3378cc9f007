package org.sartor.camera.ui

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Typeface
import android.text.StaticLayout
import android.text.TextPaint
import android.text.TextUtils
import android.util.AttributeSet
import android.view.View
import org.sartor.camera.R
import org.sartor.camera.model.EvaluationState

/** The confusion matrix: rows are true classes, columns are predictions. */
class ConfusionMatrix(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val text = TextPaint(Paint.ANTI_ALIAS_FLAG).apply {
        color = context.getColor(R.color.ink)
        textSize = 13 * resources.displayMetrics.density * resources.configuration.fontScale
        typeface = Typeface.create("sans-serif-medium", Typeface.NORMAL)
    }
    private val fill = Paint(Paint.ANTI_ALIAS_FLAG)
    private val background = context.getColor(R.color.sunken)
    private val right = context.getColor(R.color.right)
    private val wrong = context.getColor(R.color.wrong)
    private var evaluation: EvaluationState? = null

    /** Show an evaluation. */
    fun show(value: EvaluationState) {
        if (value !== evaluation) {
            evaluation = value
            contentDescription = describe(value)
            requestLayout()
            invalidate()
        }
    }

    private fun describe(value: EvaluationState): String = value.labels.indices.joinToString(". ") { i ->
        val cells = value.labels.indices.filter { value.confusion[i][it] > 0 }.joinToString { j ->
            resources.getString(R.string.confusion_cell, value.confusion[i][j], value.labels[j])
        }
        resources.getString(R.string.confusion_row, value.labels[i], cells.ifEmpty { "0" })
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        val size = evaluation?.labels?.size ?: 0
        val caption = caption(width)
        setMeasuredDimension(width, (headings() + size * cell(width, size) + context.dp(8) + caption.height + 0.5f).toInt())
    }

    override fun onDraw(canvas: Canvas) {
        val shown = evaluation ?: return
        val size = shown.labels.size
        val side = cell(width, size)
        val names = width - side * size
        val top = headings()
        val gap = context.dp(2)
        for (i in 0 until size) {
            val label = shorten(shown.labels[i], names - context.dp(8))
            text.textAlign = Paint.Align.RIGHT
            canvas.drawText(label, names - context.dp(6), top + side * i + middle(side), text)
            drawHeading(canvas, shown.labels[i], names + side * i + middle(side), top - context.dp(6))
            val total = shown.confusion[i].sum()
            for (j in 0 until size) {
                val count = shown.confusion[i][j]
                val share = if (total == 0) 0f else 0.6f * count / total
                fill.color = mix(if (i == j) right else wrong, background, share)
                val x = names + side * j
                val y = top + side * i
                canvas.drawRoundRect(x + gap, y + gap, x + side - gap, y + side - gap, context.dp(8), context.dp(8), fill)
                if (count > 0) {
                    text.textAlign = Paint.Align.CENTER
                    canvas.drawText(count.toString(), x + side / 2, y + middle(side), text)
                }
            }
        }
        text.textAlign = Paint.Align.LEFT
        val caption = caption(width)
        canvas.translate(0f, (height - caption.height).toFloat())
        caption.draw(canvas)
    }

    private fun drawHeading(canvas: Canvas, label: String, x: Float, y: Float) {
        canvas.save()
        canvas.rotate(-90f, x, y)
        text.textAlign = Paint.Align.LEFT
        canvas.drawText(shorten(label, headings() - context.dp(8)), x, y, text)
        canvas.restore()
    }

    private fun shorten(label: String, width: Float) =
        TextUtils.ellipsize(label, text, width, TextUtils.TruncateAt.END).toString()

    private fun headings(): Float {
        val longest = evaluation?.labels?.maxOfOrNull { text.measureText(it) } ?: 0f
        return minOf(longest, text.textSize * 6) + context.dp(12)
    }

    private fun caption(width: Int): StaticLayout {
        val caption = resources.getString(R.string.confusion_caption)
        return StaticLayout.Builder.obtain(caption, 0, caption.length, text, maxOf(0, width)).build()
    }

    private fun cell(width: Int, size: Int) = minOf(context.dp(44), width * 0.72f / maxOf(size, 1))

    /** Return the baseline of a text in the middle of a cell. */
    private fun middle(side: Float) = side / 2 + text.textSize * 0.36f
}
