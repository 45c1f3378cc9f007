package org.sartor.camera.model

import org.sartor.Epoch
import org.sartor.Evaluation
import org.sartor.History
import org.sartor.PersonalModel
import org.sartor.TrainingJob
import org.sartor.TrainingListener

/** The training: its progress, its result, and the evaluation on test samples. */
class Trainer(private val project: Project, private val state: StateHolder, private val onError: (Throwable) -> Unit) {
    // The main thread may press a button before another thread has the job.
    @Volatile
    private var job: TrainingJob? = null

    @Volatile
    private var isPaused = false

    @Volatile
    private var isStopped = false

    /** Start to train on all training samples. */
    fun start(onEnd: (PersonalModel, History) -> Unit) {
        val model = project.model ?: return
        if (job?.isRunning == true) {
            return
        }
        job = null
        isPaused = false
        isStopped = false
        state.update { copy(training = TrainingState(TrainingState.Phase.RUNNING)) }
        try {
            job = model.fit(listener = Listener(model, onEnd))
            control()
        } catch (error: Exception) {
            fail(error)
        }
    }

    /** Pause the training, or let it continue. */
    fun pauseOrResume() {
        isPaused = !isPaused
        control()
        val phase = if (isPaused) TrainingState.Phase.PAUSED else TrainingState.Phase.RUNNING
        state.update { if (training.phase == TrainingState.Phase.IDLE) this else copy(training = training.copy(phase = phase)) }
    }

    /** Stop the training after its present step. */
    fun stop() {
        isStopped = true
        control()
    }

    private fun control() {
        val running = job ?: return
        if (isPaused) running.pause() else running.resume()
        if (isStopped) running.stop()
    }

    /** Measure the model on the test samples, if there are any. */
    fun evaluate() {
        val model = project.model ?: return
        val evaluation = if (state.value.testSamples > 0) evaluationState(model.evaluate()) else null
        state.update { copy(evaluation = evaluation) }
    }

    private fun fail(error: Throwable) {
        state.update { copy(training = training.copy(phase = TrainingState.Phase.IDLE)) }
        onError(error)
    }

    private inner class Listener(
        private val model: PersonalModel,
        private val onEnd: (PersonalModel, History) -> Unit,
    ) : TrainingListener {
        override fun onEpoch(epoch: Epoch) {
            if (project.model !== model) return // another base is open
            state.update {
                copy(training = training.copy(losses = training.losses + epoch.loss.toFloat(), epochs = epoch.epochs))
            }
        }

        override fun onEnd(history: History) = onEnd.invoke(model, history)

        override fun onError(error: Throwable) = fail(error)
    }
}

private fun evaluationState(evaluation: Evaluation) = EvaluationState(
    evaluation.accuracy?.toFloat() ?: 0f,
    evaluation.samples,
    evaluation.labels,
    evaluation.confusion,
)
