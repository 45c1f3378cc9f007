package org.sartor.camera.ui

import android.view.View
import android.widget.TextView
import org.sartor.camera.R
import org.sartor.camera.model.EvaluationState
import org.sartor.camera.model.ScreenState
import org.sartor.camera.model.TrainingResult
import org.sartor.camera.model.TrainingState
import java.util.Locale
import kotlin.math.roundToInt

/** The loss curve, the expected accuracy, and the result on the test samples. */
class ResultsPanel(private val root: View, actions: Actions) {
    private val context = root.context
    private val curve: LossCurve = root.find(R.id.curve)
    private val firstLoss: TextView = root.find(R.id.first_loss)
    private val lastLoss: TextView = root.find(R.id.last_loss)
    private val expected: TextView = root.find(R.id.expected)
    private val expectedText: TextView = root.find(R.id.expected_text)
    private val warnings: TextView = root.find(R.id.warnings)
    private val accuracy: TextView = root.find(R.id.accuracy)
    private val accuracyText: TextView = root.find(R.id.accuracy_text)
    private val confusion: ConfusionMatrix = root.find(R.id.confusion)
    private val measure: View = root.find(R.id.measure)

    init {
        measure.setOnClickListener { actions.evaluate() }
    }

    /** Show a state. */
    fun render(state: ScreenState) {
        val training = state.training
        val isIdle = training.phase == TrainingState.Phase.IDLE
        root.isShownAtAll = training.losses.size > 1 || training.result != null || state.evaluation != null
        renderCurve(training, isIdle)
        renderExpected(training.result.takeIf { isIdle })
        renderAccuracy(state.evaluation.takeIf { isIdle }, training.result.takeIf { isIdle } != null)
        measure.isShownAtAll = isIdle && state.testSamples > 0
    }

    private fun renderCurve(training: TrainingState, isIdle: Boolean) {
        val losses = training.losses
        val hasCurve = losses.size > 1
        curve.isShownAtAll = hasCurve
        root.find<View>(R.id.losses).isShownAtAll = hasCurve
        root.find<View>(R.id.loss_floor).isShownAtAll = hasCurve
        if (hasCurve) {
            val first = format(losses.first(), 2)
            val last = format(losses.last(), 3)
            curve.show(losses, if (isIdle) losses.size else training.epochs)
            curve.contentDescription = context.getString(R.string.curve_description, first, last)
            firstLoss.show(context.getString(R.string.loss, first))
            lastLoss.show(last)
        }
    }

    private fun renderExpected(result: TrainingResult?) {
        expected.isShownAtAll = result?.expectedAccuracy != null
        expectedText.isShownAtAll = result != null
        warnings.isShownAtAll = result != null && result.warnings.isNotEmpty()
        if (result == null) {
            return
        }
        result.expectedAccuracy?.let { expected.show(percent(it)) }
        val trained = context.resources.getQuantityString(R.plurals.trained_on, result.samples, result.samples)
        val meaning = if (result.expectedAccuracy == null) R.string.expected_unknown else R.string.expected
        expectedText.show(context.getString(meaning) + "\n" + trained)
        warnings.show(result.warnings.joinToString("\n", transform = ::sentence))
    }

    private fun renderAccuracy(evaluation: EvaluationState?, isTrained: Boolean) {
        accuracy.isShownAtAll = evaluation != null
        confusion.isShownAtAll = evaluation != null
        accuracyText.isShownAtAll = evaluation != null || isTrained
        if (evaluation == null) {
            accuracyText.show(context.getString(R.string.accuracy_hint))
            return
        }
        accuracy.show(percent(evaluation.accuracy))
        accuracyText.show(
            context.resources.getQuantityString(R.plurals.accuracy, evaluation.samples, evaluation.samples),
        )
        confusion.show(evaluation)
    }

    /** Return a warning of the library as a sentence. */
    private fun sentence(warning: String) = warning.replaceFirstChar(Char::uppercase) + "."

    private fun percent(fraction: Float) = context.getString(R.string.percent, (100 * fraction).roundToInt())

    private fun format(loss: Float, digits: Int) = String.format(Locale.getDefault(), "%.${digits}f", loss)
}
