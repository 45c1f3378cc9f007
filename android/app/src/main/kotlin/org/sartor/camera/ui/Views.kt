package org.sartor.camera.ui

import android.view.View
import android.widget.TextView

/** Show a text, unless it is shown already: a text view measures itself for each new one. */
fun TextView.show(value: CharSequence?) {
    if (value == null || text.toString() != value.toString()) {
        text = value
    }
}

/** Whether a view is there. */
var View.isShownAtAll: Boolean
    get() = visibility == View.VISIBLE
    set(value) {
        val wanted = if (value) View.VISIBLE else View.GONE
        if (visibility != wanted) {
            visibility = wanted
        }
    }

/** Return a view by its number. */
inline fun <reified V : View> View.find(id: Int): V = findViewById(id)
