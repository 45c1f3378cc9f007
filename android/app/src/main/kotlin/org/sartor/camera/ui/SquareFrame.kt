package org.sartor.camera.ui

import android.content.Context
import android.util.AttributeSet
import android.widget.FrameLayout
import org.sartor.camera.R

/** The largest square that fits between the edges of the screen; its children fill it. */
class SquareFrame(context: Context, attributes: AttributeSet?) : FrameLayout(context, attributes) {
    private val edge = resources.getDimensionPixelSize(R.dimen.edge)

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        val widest = maxOf(0, width - 2 * edge)
        val isFree = MeasureSpec.getMode(heightSpec) == MeasureSpec.UNSPECIFIED
        val side = if (isFree) widest else minOf(widest, MeasureSpec.getSize(heightSpec))
        val padding = (width - side) / 2
        setPadding(padding, 0, width - side - padding, 0)
        super.onMeasure(
            MeasureSpec.makeMeasureSpec(width, MeasureSpec.EXACTLY),
            MeasureSpec.makeMeasureSpec(side, MeasureSpec.EXACTLY),
        )
    }
}
