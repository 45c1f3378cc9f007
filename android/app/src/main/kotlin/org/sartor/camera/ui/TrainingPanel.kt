package org.sartor.camera.ui

import android.view.View
import android.widget.ImageButton
import android.widget.ProgressBar
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.model.ProjectState
import org.sartor.camera.model.ScreenState
import org.sartor.camera.model.TrainingState

/** The button that trains, and the progress of the training. */
class TrainingPanel(root: View, private val actions: Actions) {
    private val context = root.context
    private val train: View = root.find(R.id.train)
    private val hint: View = root.find(R.id.train_hint)
    private val progress: View = root.find(R.id.progress)
    private val text: TextView = root.find(R.id.progress_text)
    private val bar: ProgressBar = root.find(R.id.progress_bar)
    private val pause: ImageButton = root.find(R.id.pause)

    init {
        train.setOnClickListener { actions.train() }
        pause.setOnClickListener { actions.pauseOrResume() }
        root.find<View>(R.id.stop).setOnClickListener { actions.stopTraining() }
    }

    /** Show a state. */
    fun render(state: ScreenState) {
        val training = state.training
        val isIdle = training.phase == TrainingState.Phase.IDLE
        val isOpen = state.project is ProjectState.Open
        train.isShownAtAll = isIdle
        train.isEnabled = isOpen && state.canTrain
        train.alpha = if (train.isEnabled) 1f else DISABLED
        hint.isShownAtAll = isIdle && isOpen && !state.canTrain
        progress.isShownAtAll = !isIdle
        if (!isIdle) {
            renderProgress(training)
        }
    }

    private fun renderProgress(training: TrainingState) {
        val epoch = training.losses.size
        val isPaused = training.phase == TrainingState.Phase.PAUSED
        text.show(
            when {
                epoch == 0 -> context.getString(if (isPaused) R.string.paused else R.string.preparing)
                epoch >= training.epochs -> context.getString(if (isPaused) R.string.paused else R.string.measuring)
                else -> context.getString(if (isPaused) R.string.epoch_paused else R.string.epoch, epoch, training.epochs)
            },
        )
        bar.progress = if (training.epochs == 0) 0 else bar.max * epoch / training.epochs
        pause.setImageResource(if (isPaused) R.drawable.ic_play else R.drawable.ic_pause)
        pause.contentDescription = context.getString(if (isPaused) R.string.resume else R.string.pause)
    }

    private companion object {
        const val DISABLED = 0.4f
    }
}
