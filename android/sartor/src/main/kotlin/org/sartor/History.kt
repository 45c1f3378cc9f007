package org.sartor

/**
 * The metrics of one epoch, as the listener of a training receives them.
 *
 * @property epoch number of the epoch, from 1.
 * @property epochs number of epochs planned.
 * @property loss mean loss over the training samples, each measured before its step.
 * @property accuracy accuracy on the training samples, each measured before its step, 0…1; null for
 *   a regression.
 * @property learningRate learning rate of the last step.
 * @property heldOutLoss loss on held-out samples; null without early stopping.
 */
public class Epoch internal constructor(
    public val epoch: Int,
    public val epochs: Int,
    public val loss: Double,
    public val accuracy: Double?,
    public val learningRate: Double,
    public val heldOutLoss: Double?,
) {
    override fun toString(): String = "Epoch($epoch of $epochs, loss $loss, accuracy $accuracy)"
}

/**
 * The history of one training.
 *
 * @property epochs metrics of each complete epoch.
 * @property steps number of training steps, including those of an incomplete epoch.
 * @property samples number of training samples.
 * @property stopped whether the training was stopped before the last epoch.
 * @property expectedAccuracy accuracy on held-out samples by cross-validation, 0…1: an estimate for
 *   new samples. Null if it is unknown; [warnings] says why.
 * @property calibrationError expected calibration error on held-out samples by cross-validation,
 *   0…1. Null if it is unknown.
 * @property warnings messages about what the training may have damaged, and about what could not be
 *   measured.
 * @property depth parts that were trained: [Depth.HEAD], or [Depth.LAYERS] for the tuned layers too.
 */
public class History internal constructor(
    public val epochs: List<Epoch>,
    public val steps: Int,
    public val samples: Int,
    public val stopped: Boolean,
    public val expectedAccuracy: Double? = null,
    public val calibrationError: Double? = null,
    public val warnings: List<String> = emptyList(),
    public val depth: Depth = Depth.HEAD,
) {
    override fun toString(): String {
        val loss = if (epochs.isEmpty()) "" else ", loss ${epochs[0].loss} to ${epochs.last().loss}"
        return "History(${epochs.size} epochs of $samples samples$loss)"
    }

    internal fun copy(
        epochs: List<Epoch> = this.epochs,
        samples: Int = this.samples,
        stopped: Boolean = this.stopped,
        expectedAccuracy: Double? = this.expectedAccuracy,
        calibrationError: Double? = this.calibrationError,
        warnings: List<String> = this.warnings,
    ): History =
        History(
            epochs,
            steps,
            samples,
            stopped,
            expectedAccuracy,
            calibrationError,
            warnings,
            depth,
        )
}
