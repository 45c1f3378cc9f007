package org.sartor.camera.ui

import android.content.Context
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.model.ProjectState

/** The files of the project, its base, its deletion, and what happens to the data. */
class ProjectSheet(private val context: Context, project: ProjectState, private val actions: Actions) {
    private val dialog = SheetDialog(context, context.getString(R.string.project), actions::closeSheet)
    private var isConfirming = false

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
        if (project is ProjectState.Open && !project.isStarter) {
            section(context.getString(R.string.base, project.base))
            choice(R.drawable.ic_camera, R.string.starter, R.string.starter_text) { actions.openStarter() }
        }
        section(context.getString(R.string.again_section))
        val again = choice(R.drawable.ic_delete, R.string.new_project, R.string.new_project_text) {}
        again.setOnClickListener { confirmOrClear(again) }
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

    private fun section(title: String) {
        val view = TextView(context, null, 0, R.style.Text_Section)
        view.text = title
        view.setPadding(0, context.dp(16).toInt(), 0, 0)
        dialog.content.addView(view)
    }

    private fun choice(icon: Int, title: Int?, text: Int, act: () -> Unit): View {
        val row = dialog.add(R.layout.choice)
        row.find<ImageView>(R.id.choice_icon).setImageResource(icon)
        row.find<TextView>(R.id.choice_title).apply {
            isShownAtAll = title != null
            title?.let(::setText)
        }
        row.find<TextView>(R.id.choice_text).setText(text)
        row.setOnClickListener {
            actions.closeSheet()
            act()
        }
        return row
    }

    private fun confirmOrClear(row: View) {
        if (isConfirming) {
            actions.closeSheet()
            actions.clearProject()
            return
        }
        isConfirming = true
        row.setBackgroundResource(R.drawable.button_danger)
        row.find<TextView>(R.id.choice_title).apply {
            setText(R.string.new_project_confirm)
            setTextColor(context.getColor(R.color.on_danger))
        }
        row.find<View>(R.id.choice_text).isShownAtAll = false
        row.find<ImageView>(R.id.choice_icon).setColorFilter(context.getColor(R.color.on_danger))
        val padding = context.dp(12).toInt()
        row.setPadding(padding, 0, padding, 0)
    }
}
