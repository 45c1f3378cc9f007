package org.sartor.camera.ui

import android.content.Context
import android.text.format.Formatter
import android.view.View
import android.widget.ImageButton
import android.widget.ImageView
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.model.Base
import org.sartor.camera.model.OpenedBase
import org.sartor.camera.model.ProjectState
import org.sartor.camera.model.ScreenState
import java.text.DateFormat
import java.util.Date

/** The files of the project, its base, its deletion, and what happens to the data. */
class ProjectSheet(private val context: Context, state: ScreenState, private val actions: Actions) {
    private val dialog = SheetDialog(context, context.getString(R.string.project), actions::closeSheet)
    private val open = state.project as? ProjectState.Open

    init {
        section(context.getString(R.string.save_section))
        choice(R.drawable.ic_save, R.string.save_model, R.string.save_model_text) { actions.save(FileContent.MODEL) }
        choice(R.drawable.ic_save, R.string.save_project, R.string.save_project_text) { actions.save(FileContent.PROJECT) }
        choice(R.drawable.ic_save, R.string.save_checkpoint, R.string.save_checkpoint_text) {
            actions.save(FileContent.CHECKPOINT)
        }
        choice(R.drawable.ic_share, R.string.share_model, R.string.share_model_text) { actions.shareModel() }
        section(context.getString(R.string.open_section))
        choice(R.drawable.ic_open, R.string.open_file, R.string.open_file_text) { actions.chooseFile() }
        section(context.getString(R.string.base_section))
        text(R.string.base_text)
        state.bases.forEach(::openedBase)
        base(Base.STARTER, context.getString(R.string.starter), context.getString(R.string.starter_text))
        section(context.getString(R.string.again_section))
        val again = choice(R.drawable.ic_delete, R.string.new_project, R.string.new_project_text) {}
        again.setOnClickListener { confirm(again, R.string.new_project_confirm) { actions.clearProject() } }
        section(context.getString(R.string.privacy_section))
        val privacy = choice(R.drawable.ic_lock, null, R.string.privacy_text) {}
        privacy.isClickable = false
        privacy.isFocusable = false
        dialog.show()
    }

    /** Hide the sheet. */
    fun dismiss() = dialog.dismiss()

    /** The window of the sheet. */
    val window: View? get() = dialog.window?.decorView

    private fun text(text: Int) {
        dialog.content.addView(TextView(context, null, 0, R.style.Text_Quiet).apply { setText(text) })
    }

    private fun section(title: String) {
        val view = TextView(context, null, 0, R.style.Text_Section)
        view.text = title
        view.setPadding(0, context.dp(16).toInt(), 0, 0)
        dialog.content.addView(view)
    }

    /** A base that the user has opened, with the button that deletes it unless it is in use. */
    private fun openedBase(base: OpenedBase) {
        val time = DateFormat.getDateTimeInstance(DateFormat.MEDIUM, DateFormat.SHORT).format(Date(base.time))
        val size = Formatter.formatShortFileSize(context, base.bytes)
        if (base.name == null) {
            val name = context.getString(R.string.lost_base)
            val row = choice(R.drawable.ic_check, name, context.getString(R.string.lost_base_text, time, size)) {}
            row.find<View>(R.id.choice_icon).visibility = View.INVISIBLE
            row.isClickable = false
            row.isFocusable = false
            deletion(row, base, name, R.string.delete_lost_confirm)
            return
        }
        val row = base(base.key, base.name, context.getString(R.string.base_opened, time, size))
        if (base.key != open?.key) {
            deletion(row, base, base.name, R.string.delete_base_confirm)
        }
    }

    /** Show the button that deletes a base after a second tap. */
    private fun deletion(row: View, base: OpenedBase, name: String, question: Int) = row.find<ImageButton>(R.id.choice_delete).run {
        isShownAtAll = true
        contentDescription = context.getString(R.string.delete_base, name)
        setOnClickListener { confirm(row, question) { actions.removeBase(base.key) } }
    }

    /** A base; the one in use is marked. */
    private fun base(key: String, name: String, text: String): View {
        val isOpen = key == open?.key
        val row = choice(R.drawable.ic_check, name, text) { actions.openBase(key) }
        row.find<View>(R.id.choice_icon).apply {
            visibility = if (isOpen) View.VISIBLE else View.INVISIBLE
            importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_YES
            contentDescription = context.getString(R.string.base_current)
        }
        row.isSelected = isOpen
        row.isClickable = !isOpen
        return row
    }

    private fun choice(icon: Int, title: Int?, text: Int, act: () -> Unit): View =
        choice(icon, title?.let(context::getString), context.getString(text), act)

    private fun choice(icon: Int, title: String?, text: String, act: () -> Unit): View {
        val row = dialog.add(R.layout.choice)
        row.find<ImageView>(R.id.choice_icon).setImageResource(icon)
        row.find<TextView>(R.id.choice_title).apply {
            isShownAtAll = title != null
            show(title)
        }
        row.find<TextView>(R.id.choice_text).show(text)
        row.setOnClickListener {
            actions.closeSheet()
            act()
        }
        return row
    }

    /** Ask for a second tap on a row before something is deleted. */
    private fun confirm(row: View, question: Int, act: () -> Unit) {
        row.setOnClickListener {
            actions.closeSheet()
            act()
        }
        row.isClickable = true
        row.setBackgroundResource(R.drawable.button_danger)
        row.find<TextView>(R.id.choice_title).apply {
            setText(question)
            setTextColor(context.getColor(R.color.on_danger))
        }
        row.find<View>(R.id.choice_text).isShownAtAll = false
        row.find<View>(R.id.choice_delete).isShownAtAll = false
        row.find<ImageView>(R.id.choice_icon).apply {
            setImageResource(R.drawable.ic_delete)
            visibility = View.VISIBLE
            setColorFilter(context.getColor(R.color.on_danger))
        }
        val padding = context.dp(12).toInt()
        row.setPadding(padding, 0, padding, 0)
    }
}
