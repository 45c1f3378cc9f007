package org.sartor.camera.ui

import android.view.View
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.frames.Frame
import org.sartor.camera.model.Message
import org.sartor.camera.model.ScreenState
import org.sartor.camera.model.Sheet

/** The whole screen: it shows a state, and passes on what the user does. */
class Screen(private val root: View, private val actions: Actions) {
    private val preview = PreviewPanel(root.find(R.id.view), actions)
    private val classes = ClassesPanel(root, actions)
    private val training = TrainingPanel(root.find(R.id.training), actions)
    private val results = ResultsPanel(root.find(R.id.results), actions)
    private val message: View = root.find(R.id.message)
    private var classSheet: Pair<String, ClassSheet>? = null
    private var projectSheet: ProjectSheet? = null
    private var question: Pair<Sheet, QuestionSheet>? = null

    init {
        // There is no room for a large text beside the title; the menu has it too.
        root.find<View>(R.id.privacy_short).visibility = if (isTextLarge) View.INVISIBLE else View.VISIBLE
        root.find<View>(R.id.menu).setOnClickListener { actions.openProject() }
        root.find<View>(R.id.dismiss).setOnClickListener { actions.dismissMessage() }
    }

    private val isTextLarge get() = root.resources.configuration.fontScale > LARGE

    /** Show a frame of the camera. */
    fun show(frame: Frame) = preview.show(frame)

    /** Show a state. */
    fun render(state: ScreenState, cameras: Int) {
        preview.render(state, cameras)
        classes.render(state)
        training.render(state)
        results.render(state)
        renderMessage(state.message)
        renderClassSheet(state)
        renderProjectSheet(state)
        renderQuestion(state.sheet)
    }

    /** Let a screen reader speak a text. */
    @Suppress("DEPRECATION") // API 36 prefers live regions, which repeat every number
    fun announce(text: String) = root.announceForAccessibility(text)

    /** Close all windows. */
    fun close() {
        classSheet?.second?.dismiss()
        projectSheet?.dismiss()
        question?.second?.dismiss()
    }

    /** The window of the open sheet, or null. */
    val sheet: View? get() = classSheet?.second?.window ?: projectSheet?.window ?: question?.second?.window

    private fun renderMessage(value: Message?) {
        message.isShownAtAll = value != null
        value?.let { root.find<TextView>(R.id.message_text).show(it.text) }
    }

    private fun renderClassSheet(state: ScreenState) {
        val wanted = state.sheet as? Sheet.Samples
        val shown = state.classes.find { it.name == wanted?.label }
        if (shown == null || classSheet?.first != shown.name) {
            classSheet?.second?.dismiss()
            classSheet = shown?.let { it.name to ClassSheet(root.context, it.name, actions) }
        }
        if (shown != null && wanted != null) {
            classSheet?.second?.render(shown, wanted.thumbnails)
        }
    }

    private fun renderProjectSheet(state: ScreenState) {
        val isWanted = state.sheet is Sheet.Project
        if (isWanted && projectSheet == null) {
            projectSheet = ProjectSheet(root.context, state, actions)
        } else if (!isWanted) {
            projectSheet?.dismiss()
            projectSheet = null
        }
    }

    private fun renderQuestion(sheet: Sheet?) {
        if (question?.first != sheet) {
            question?.second?.dismiss()
            question = QuestionSheet.of(root.context, sheet, actions)?.let { requireNotNull(sheet) to it }
        }
    }

    private companion object {
        /** Scale of the text above which the header shows the title only. */
        const val LARGE = 1.3f
    }
}
