package org.sartor.camera.ui

import android.content.Context
import android.view.View
import android.widget.TextView
import org.sartor.camera.R

/** The question before a project replaces the samples of its base. */
class ReplacementSheet(context: Context, file: String, actions: Actions) {
    private val dialog = SheetDialog(context, context.getString(R.string.replace_title), actions::closeSheet)

    init {
        val content = dialog.add(R.layout.replacement)
        content.find<TextView>(R.id.replace_text).text = context.getString(R.string.replace_text, file)
        content.find<View>(R.id.replace).setOnClickListener {
            actions.closeSheet()
            actions.replaceSamples()
        }
        content.find<View>(R.id.keep).setOnClickListener { actions.closeSheet() }
        dialog.show()
    }

    /** Hide the sheet. */
    fun dismiss() = dialog.dismiss()

    /** The window of the sheet. */
    val window: View? get() = dialog.window?.decorView
}
