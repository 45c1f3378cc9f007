package org.sartor.camera.ui

import android.content.Context
import android.graphics.BitmapShader
import android.graphics.Canvas
import android.graphics.DashPathEffect
import android.graphics.Matrix
import android.graphics.Paint
import android.graphics.RectF
import android.graphics.Shader
import android.util.AttributeSet
import android.view.View
import org.sartor.camera.model.Thumbnail

/** The newest samples of a class, as many as fit; test samples have a dashed border. */
class ThumbnailStrip(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private val picture = Paint(Paint.ANTI_ALIAS_FLAG or Paint.FILTER_BITMAP_FLAG)
    private val dashes = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = context.dp(2)
        pathEffect = DashPathEffect(floatArrayOf(context.dp(4), context.dp(3)), 0f)
    }
    private val cell = RectF()
    private val placement = Matrix()
    private var thumbnails: List<Thumbnail> = emptyList()

    /** Show thumbnails, the newest first. */
    fun show(samples: List<Thumbnail>, color: Int) {
        if (samples !== thumbnails || color != dashes.color) {
            thumbnails = samples
            dashes.color = color
            invalidate()
        }
    }

    override fun onDraw(canvas: Canvas) {
        val side = height.toFloat()
        val step = side + context.dp(4)
        val radius = context.dp(10)
        for ((i, sample) in thumbnails.withIndex()) {
            val x = i * step
            if (x + side > width && i > 0) {
                return
            }
            cell.set(x, 0f, x + side, side)
            val image = sample.image
            val scale = side / minOf(image.width, image.height)
            placement.setScale(scale, scale)
            placement.postTranslate(x + (side - image.width * scale) / 2, (side - image.height * scale) / 2)
            picture.shader = BitmapShader(image, Shader.TileMode.CLAMP, Shader.TileMode.CLAMP)
                .apply { setLocalMatrix(placement) }
            canvas.drawRoundRect(cell, radius, radius, picture)
            if (sample.heldOut) {
                cell.inset(context.dp(1), context.dp(1))
                canvas.drawRoundRect(cell, radius, radius, dashes)
            }
        }
    }
}
