package org.sartor.camera.ui

import android.content.Context
import android.graphics.Color
import org.sartor.camera.R

/** Return the color of a class; see `class_colors`. */
fun Context.classColor(number: Int): Int {
    val colors = resources.obtainTypedArray(R.array.class_colors)
    return colors.getColor(number % colors.length(), Color.GRAY).also { colors.recycle() }
}

/** Return a mixture of two colors: `share` of the first, 0…1. */
fun mix(color: Int, other: Int, share: Float): Int {
    fun channel(of: (Int) -> Int) = (of(color) * share + of(other) * (1 - share)).toInt()
    return Color.rgb(channel(Color::red), channel(Color::green), channel(Color::blue))
}

/** Return a length in density-independent pixels as pixels. */
fun Context.dp(length: Number): Float = length.toFloat() * resources.displayMetrics.density
