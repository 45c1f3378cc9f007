package org.sartor.camera.ui

import android.content.Context
import android.graphics.Outline
import android.view.View
import android.view.ViewOutlineProvider
import android.view.inputmethod.EditorInfo
import android.widget.EditText
import android.widget.ImageView
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.model.ClassState
import org.sartor.camera.model.Thumbnail
import kotlin.math.roundToInt

/** The name and all samples of a class, to rename and to delete. */
class ClassSheet(private val context: Context, private var label: String, private val actions: Actions) {
    private val dialog = SheetDialog(context, label, ::close)
    private val root = dialog.add(R.layout.class_sheet)
    private val name: EditText = root.find(R.id.class_name)
    private val grid: CardGrid = root.find(R.id.class_samples)
    private val counts: TextView = root.find(R.id.class_counts)
    private val delete: TextView = root.find(R.id.delete_samples)
    private val remove: TextView = root.find(R.id.delete_class)
    private val selected = LinkedHashSet<Long>()
    private var thumbnails: List<Thumbnail>? = null
    private var isConfirming = false

    init {
        name.setText(label)
        name.setOnEditorActionListener { _, action, _ ->
            (action == EditorInfo.IME_ACTION_DONE).also { if (it) close() }
        }
        grid.columnWidth = context.dp(60).roundToInt()
        grid.gap = context.dp(8).roundToInt()
        delete.setOnClickListener { deleteSelected() }
        root.find<View>(R.id.add_photos).setOnClickListener { actions.choosePhotos(label) }
        remove.setOnClickListener { confirmOrRemove() }
        remove.show(context.getString(R.string.delete_class))
        dialog.show()
    }

    /** Show the class. */
    fun render(value: ClassState, samples: List<Thumbnail>) {
        counts.show(describe(value))
        if (samples !== thumbnails) {
            thumbnails = samples
            selected.retainAll(samples.map { it.id }.toSet())
            grid.removeAllViews()
            val color = context.classColor(value.color)
            samples.forEachIndexed { i, sample -> grid.addView(thumbnail(sample, i + 1, color)) }
        }
        renderSelection()
    }

    /** Hide the sheet without an action. */
    fun dismiss() = dialog.dismiss()

    /** The window of the sheet. */
    val window: View? get() = dialog.window?.decorView

    private fun close() {
        val text = name.text.toString().trim()
        if (text.isNotEmpty() && text != label) {
            actions.renameClass(label, text)
        }
        actions.closeSheet()
    }

    private fun describe(value: ClassState): String {
        val training = value.samples - value.heldOut
        val parts = mutableListOf(context.resources.getQuantityString(R.plurals.count_description, training, training))
        if (value.heldOut > 0) {
            parts += context.resources.getQuantityString(R.plurals.test_count_description, value.heldOut, value.heldOut)
        }
        return parts.joinToString()
    }

    private fun thumbnail(sample: Thumbnail, number: Int, color: Int): View {
        val frame = SampleView(context, sample, color)
        val text = if (sample.heldOut) R.string.test_sample_description else R.string.sample_description
        frame.contentDescription = context.getString(text, number)
        frame.isActivated = sample.id in selected
        frame.setOnClickListener {
            if (!selected.remove(sample.id)) {
                selected.add(sample.id)
            }
            frame.isActivated = sample.id in selected
            renderSelection()
        }
        return frame
    }

    private fun renderSelection() {
        delete.isShownAtAll = thumbnails?.isNotEmpty() == true
        delete.isEnabled = selected.isNotEmpty()
        delete.show(
            if (selected.isEmpty()) {
                context.getString(R.string.select_hint)
            } else {
                context.resources.getQuantityString(R.plurals.delete_samples, selected.size, selected.size)
            },
        )
        delete.setBackgroundResource(if (selected.isEmpty()) R.drawable.row else R.drawable.button_danger)
        delete.setTextColor(context.getColor(if (selected.isEmpty()) R.color.ink_quiet else R.color.on_danger))
    }

    private fun deleteSelected() {
        actions.forget(label, selected.toList())
        selected.clear()
        renderSelection()
    }

    private fun confirmOrRemove() {
        if (isConfirming) {
            actions.closeSheet()
            actions.removeClass(label)
            return
        }
        isConfirming = true
        remove.show(context.getString(R.string.delete_class_confirm, label))
        remove.setBackgroundResource(R.drawable.button_danger)
        remove.setTextColor(context.getColor(R.color.on_danger))
    }
}
