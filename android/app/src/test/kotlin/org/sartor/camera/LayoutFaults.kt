package org.sartor.camera

import android.graphics.Rect
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.ScrollView
import android.widget.TextView

private const val TOUCH_TARGET = 48 // dp

/** Return the faults of a layout: texts that are cut off, small touch targets, and buttons out of reach. */
fun layoutFaults(root: View): List<String> =
    shownViews(root).flatMap { listOfNotNull(cutText(it), smallTarget(it), outOfReach(it, root)) }

private fun shownViews(view: View): List<View> = when {
    view.visibility != View.VISIBLE -> emptyList()
    view is ViewGroup -> listOf(view) + List(view.childCount) { shownViews(view.getChildAt(it)) }.flatten()
    else -> listOf(view)
}

private fun cutText(view: View): String? {
    if (view !is TextView || view is EditText || view.text.isEmpty()) return null
    val layout = view.layout ?: return "${nameOf(view)} has no layout: ${view.text}"
    val isEllipsized = (0 until layout.lineCount).any { layout.getEllipsisCount(it) > 0 }
    val height = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
    val width = view.width - view.compoundPaddingLeft - view.compoundPaddingRight
    val widest = (0 until layout.lineCount).maxOf { layout.getLineMax(it) }
    val last = layout.getLineEnd(layout.lineCount - 1)
    return when {
        isEllipsized || last < view.text.length -> "${nameOf(view)} is shortened: ${view.text}"
        layout.height > height + 1 -> "${nameOf(view)} is cut off, ${layout.height} of $height pixels: ${view.text}"
        widest > width + 1 -> "${nameOf(view)} is wider than its place, $widest of $width pixels: ${view.text}"
        splitsWord(view) -> "${nameOf(view)} is broken in a word: ${view.text}"
        else -> null
    }
}

/** Return whether a line ends within a word that would fit into one. */
private fun splitsWord(view: TextView): Boolean {
    val text = view.text
    val ends = (0 until view.layout.lineCount - 1).map { view.layout.getLineEnd(it) }
    return ends.any { end ->
        val isWithin = !text[end - 1].isWhitespace() && !text[end].isWhitespace()
        val start = text.substring(0, end).indexOfLast(Char::isWhitespace) + 1
        val word = text.substring(start).takeWhile { !it.isWhitespace() }
        isWithin && view.paint.measureText(word) <= view.layout.width
    }
}

private fun smallTarget(view: View): String? {
    val least = TOUCH_TARGET * view.resources.displayMetrics.density
    val isSmall = view.isClickable && minOf(view.width, view.height) < least - 1
    return if (isSmall) "${nameOf(view)} is small: ${view.width} x ${view.height} of $least pixels" else null
}

/** Everything that can be pressed is on the screen, or in a part that scrolls to it. */
private fun outOfReach(view: View, root: View): String? {
    if (!view.isClickable || view.width == 0) return null
    val scroll = generateSequence(view.parent) { it.parent }.filterIsInstance<ScrollView>().firstOrNull()
    val place = Rect(0, 0, view.width, view.height)
    (root as ViewGroup).offsetDescendantRectToMyCoords(view, place)
    val isInside = if (scroll == null) {
        Rect(0, 0, root.width, root.height).contains(place)
    } else {
        scroll.height >= TOUCH_TARGET * view.resources.displayMetrics.density && place.left >= 0 && place.right <= root.width
    }
    return if (isInside) null else "${nameOf(view)} is out of reach: $place of ${root.width} x ${root.height}"
}

private fun nameOf(view: View) = if (view.id == View.NO_ID) view.javaClass.simpleName else view.resources.getResourceEntryName(view.id)
