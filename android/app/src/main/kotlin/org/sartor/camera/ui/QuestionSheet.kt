package org.sartor.camera.ui

import android.content.Context
import android.view.View
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.model.Sheet

/** A question before samples are replaced, or stay behind. */
class QuestionSheet private constructor(
    context: Context,
    title: Int,
    text: String,
    buttons: Pair<Int, Int>,
    isDangerous: Boolean,
    actions: Actions,
    agree: () -> Unit,
) {
    private val dialog = SheetDialog(context, context.getString(title), actions::closeSheet)

    init {
        val content = dialog.add(R.layout.question)
        content.find<TextView>(R.id.question).text = text
        content.find<TextView>(R.id.agree).apply {
            setText(buttons.first)
            setBackgroundResource(if (isDangerous) R.drawable.button_danger else R.drawable.button_primary)
            setTextColor(context.getColor(if (isDangerous) R.color.on_danger else R.color.on_accent))
            setOnClickListener {
                actions.closeSheet()
                agree()
            }
        }
        content.find<TextView>(R.id.keep).apply {
            setText(buttons.second)
            setOnClickListener { actions.closeSheet() }
        }
        dialog.show()
    }

    /** Hide the sheet. */
    fun dismiss() = dialog.dismiss()

    /** The window of the sheet. */
    val window: View? get() = dialog.window?.decorView

    companion object {
        /** Show the question of a state; return null if it has none. */
        fun of(context: Context, sheet: Sheet?, actions: Actions): QuestionSheet? = when (sheet) {
            is Sheet.Replacement -> QuestionSheet(
                context, R.string.replace_title, context.getString(R.string.replace_text, sheet.file),
                R.string.replace to R.string.keep, isDangerous = true, actions, actions::replaceSamples,
            )
            is Sheet.Leaving -> QuestionSheet(
                context, R.string.leave_title, leaving(context, sheet),
                (if (sheet.samples < sheet.total) R.string.leave else R.string.leave_all) to R.string.stay,
                isDangerous = false, actions,
            ) { actions.leaveSamples(sheet.key) }
            else -> null
        }

        private fun leaving(context: Context, sheet: Sheet.Leaving) = context.resources.getQuantityString(
            R.plurals.leave_text, sheet.samples, sheet.samples, sheet.total, sheet.base, sheet.former,
        )
    }
}
