package org.sartor.camera.ui

import android.content.Context
import android.graphics.Bitmap
import android.graphics.BitmapShader
import android.graphics.Canvas
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.RectF
import android.graphics.Shader
import android.util.AttributeSet
import android.view.View
import org.sartor.camera.R

/** The preview: a frame in a rounded square, with a border in the color of its class. */
class FrameView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val picture = Paint(Paint.ANTI_ALIAS_FLAG or Paint.FILTER_BITMAP_FLAG)
    private val empty = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = context.getColor(R.color.sunken) }
    private val border = Paint(Paint.ANTI_ALIAS_FLAG).apply { style = Paint.Style.STROKE }
    private val square = RectF()
    private val placement = Matrix()
    private var bitmap: Bitmap? = null

    /** The color of the border; null for no border. */
    var borderColor: Int? = null
        set(value) {
            if (field != value) {
                field = value
                invalidate()
            }
        }

    /** Whether samples are recorded: the border is thicker. */
    var isRecording: Boolean = false
        set(value) {
            if (field != value) {
                field = value
                invalidate()
            }
        }

    /** Whether the frame is shown as in a mirror. */
    var isMirrored: Boolean = false

    /** Show a frame; null clears the preview. */
    fun show(frame: Bitmap?) {
        bitmap = frame
        picture.shader = frame?.let { BitmapShader(it, Shader.TileMode.CLAMP, Shader.TileMode.CLAMP) }
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val radius = context.dp(28)
        square.set(0f, 0f, width.toFloat(), height.toFloat())
        val frame = bitmap
        if (frame == null) {
            canvas.drawRoundRect(square, radius, radius, empty)
            return
        }
        place(frame)
        canvas.drawRoundRect(square, radius, radius, picture)
        borderColor?.let {
            border.color = it
            border.strokeWidth = context.dp(if (isRecording) 7 else 4)
            val half = border.strokeWidth / 2
            square.inset(half, half)
            canvas.drawRoundRect(square, radius - half, radius - half, border)
        }
    }

    /** The part in the middle fills the square. */
    private fun place(frame: Bitmap) {
        val scale = maxOf(width.toFloat() / frame.width, height.toFloat() / frame.height)
        placement.setScale(if (isMirrored) -scale else scale, scale)
        val x = (width - frame.width * scale) / 2
        placement.postTranslate(if (isMirrored) width - x else x, (height - frame.height * scale) / 2)
        picture.shader.setLocalMatrix(placement)
    }
}
