package org.sartor.camera.ui

import android.content.Context
import android.util.AttributeSet
import android.view.View
import android.view.ViewGroup
import org.sartor.camera.R

/** Children in as many equal columns as fit; the cards of a row have one height. */
class CardGrid(context: Context, attributes: AttributeSet?) : ViewGroup(context, attributes) {
    /** Smallest width of a column in pixels. It grows with the text; a size in sp would hardly: large ones grow less. */
    var columnWidth: Int = (resources.getDimension(R.dimen.card_width) * growth()).toInt()

    /** Space between two columns or rows in pixels. */
    var gap: Int = resources.getDimensionPixelSize(R.dimen.gap)

    private var columns = 1
    private var rowHeights = IntArray(0)

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = MeasureSpec.getSize(widthSpec)
        columns = maxOf(1, (width + gap) / (columnWidth + gap))
        rowHeights = IntArray((childCount + columns - 1) / columns)
        val column = MeasureSpec.makeMeasureSpec(widthOfColumn(width), MeasureSpec.EXACTLY)
        val free = MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)
        forEachCell { child, row, _ ->
            child.measure(column, free)
            rowHeights[row] = maxOf(rowHeights[row], child.measuredHeight)
        }
        forEachCell { child, row, _ ->
            child.measure(column, MeasureSpec.makeMeasureSpec(rowHeights[row], MeasureSpec.EXACTLY))
        }
        setMeasuredDimension(width, rowHeights.sum() + gap * maxOf(0, rowHeights.size - 1))
    }

    override fun onLayout(changed: Boolean, left: Int, top: Int, right: Int, bottom: Int) {
        val step = widthOfColumn(right - left) + gap
        val isRightToLeft = layoutDirection == View.LAYOUT_DIRECTION_RTL
        forEachCell { child, row, column ->
            val x = step * if (isRightToLeft) columns - 1 - column else column
            val y = rowHeights.take(row).sum() + gap * row
            child.layout(x, y, x + child.measuredWidth, y + child.measuredHeight)
        }
    }

    private fun growth() = 1 + GROWTH * (resources.configuration.fontScale - 1)

    private fun widthOfColumn(width: Int) = (width - gap * (columns - 1)) / columns

    private inline fun forEachCell(action: (child: View, row: Int, column: Int) -> Unit) {
        for (i in 0 until childCount) {
            action(getChildAt(i), i / columns, i % columns)
        }
    }

    private companion object {
        /** Growth of the columns with the scale of the text: a part of a card has a fixed size. */
        const val GROWTH = 0.7f
    }
}
