package org.sartor.camera.ui

import android.content.Context
import android.graphics.BitmapShader
import android.graphics.Canvas
import android.graphics.DashPathEffect
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.RectF
import android.graphics.Shader
import android.view.View
import org.sartor.camera.R
import org.sartor.camera.model.Thumbnail

/** A sample that can be selected: a square thumbnail, with a thick border if it is selected. */
class SampleView(context: Context, private val sample: Thumbnail, private val color: Int) : View(context) {
    private val picture = Paint(Paint.ANTI_ALIAS_FLAG or Paint.FILTER_BITMAP_FLAG)
    private val border = Paint(Paint.ANTI_ALIAS_FLAG).apply { style = Paint.Style.STROKE }
    private val square = RectF()

    init {
        isFocusable = true
        isClickable = true
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val side = MeasureSpec.getSize(widthSpec)
        setMeasuredDimension(side, side)
    }

    override fun setActivated(activated: Boolean) {
        super.setActivated(activated)
        isSelected = activated
        invalidate()
    }

    override fun onDraw(canvas: Canvas) {
        val radius = context.dp(12)
        val image = sample.image
        val scale = width.toFloat() / minOf(image.width, image.height)
        val placement = Matrix()
        placement.setScale(scale, scale)
        placement.postTranslate((width - image.width * scale) / 2, (height - image.height * scale) / 2)
        picture.shader = BitmapShader(image, Shader.TileMode.CLAMP, Shader.TileMode.CLAMP)
            .apply { setLocalMatrix(placement) }
        square.set(0f, 0f, width.toFloat(), height.toFloat())
        canvas.drawRoundRect(square, radius, radius, picture)
        if (!isActivated && !sample.heldOut) {
            return
        }
        border.strokeWidth = context.dp(if (isActivated) 5 else 2)
        border.color = if (isActivated) context.getColor(R.color.danger) else color
        border.pathEffect = if (isActivated) null else DashPathEffect(floatArrayOf(context.dp(5), context.dp(4)), 0f)
        val half = border.strokeWidth / 2
        square.inset(half, half)
        canvas.drawRoundRect(square, radius - half, radius - half, border)
    }
}
