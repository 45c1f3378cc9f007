package org.sartor.camera.ui

import android.app.Dialog
import android.content.Context
import android.view.Gravity
import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.view.WindowManager
import android.widget.TextView
import org.sartor.camera.R
import kotlin.math.roundToInt

/** A panel over the screen: at the bottom of a phone, in the middle of a tablet. */
class SheetDialog(context: Context, title: String, onClose: () -> Unit) : Dialog(context, R.style.Sheet) {
    /** The panel, to which the content is added. */
    val content: ViewGroup

    init {
        setContentView(R.layout.sheet)
        content = requireNotNull(findViewById(R.id.sheet))
        findViewById<TextView>(R.id.sheet_title).text = title
        findViewById<View>(R.id.sheet_close).setOnClickListener { onClose() }
        setOnCancelListener { onClose() }
        place()
    }

    /** Add a layout to the panel. */
    fun add(layout: Int): View = LayoutInflater.from(context).inflate(layout, content, false).also(content::addView)

    private fun place() {
        val metrics = context.resources.displayMetrics
        val widest = context.dp(560).roundToInt()
        val isWide = metrics.widthPixels > widest
        val window = window ?: return
        window.setBackgroundDrawableResource(if (isWide) R.drawable.sheet_center else R.drawable.sheet)
        window.setGravity(if (isWide) Gravity.CENTER else Gravity.BOTTOM)
        window.setDimAmount(0.5f)
        window.setLayout(minOf(widest, metrics.widthPixels), WindowManager.LayoutParams.WRAP_CONTENT)
    }
}
