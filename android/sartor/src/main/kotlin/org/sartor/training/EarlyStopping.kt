package org.sartor.training

import org.sartor.data.Dataset
import org.sartor.litert.Engine
import org.sartor.litert.Variables

/**
 * Early stopping: the weights with the lowest loss on held-out samples.
 *
 * @property samples held-out samples.
 * @param patience number of epochs without a lower loss that ends a training. Default: no end.
 */
internal class EarlyStopping(val samples: Dataset, private val patience: Int?) {
    /** The weights with the lowest loss; null before the first epoch. */
    var best: Variables? = null
        private set

    /** The loss of the last epoch; null before the first. */
    var loss: Double? = null
        private set

    private var lowest = Double.POSITIVE_INFINITY
    private var epochsWithoutProgress = 0

    /** Whether the loss has not fallen for `patience` epochs. */
    val isOver: Boolean get() = patience != null && epochsWithoutProgress >= patience

    /** Note the loss of an epoch, and keep the weights if it is the lowest. */
    fun note(value: Double, engine: Engine) {
        loss = value
        if (value < lowest) {
            best = engine.variables()
            lowest = value
            epochsWithoutProgress = 0
        } else {
            epochsWithoutProgress += 1
        }
    }
}
