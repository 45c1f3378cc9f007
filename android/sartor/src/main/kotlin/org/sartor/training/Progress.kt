package org.sartor.training

import org.sartor.Epoch

/**
 * The epochs of all parts of a training, numbered on from those of the head.
 *
 * @param onEpoch called after each epoch.
 * @param ofHead epochs of the head.
 */
internal class Progress(private val onEpoch: EpochCallback, ofHead: List<Epoch>) {
    private val all = ofHead.toMutableList()

    /** The epochs until now. */
    val epochs: List<Epoch> get() = all.toList()

    /** Whether the callback has stopped the training. */
    var isStopped = false
        private set

    /** Return the callback of the next part, which [later] more epochs follow. */
    fun nextPart(later: Int = 0): EpochCallback {
        val first = all.size
        return { part ->
            val epoch = part.run {
                val planned = first + epochs + later
                Epoch(first + epoch, planned, loss, accuracy, learningRate, heldOutLoss)
            }
            all.add(epoch)
            onEpoch(epoch).also { isStopped = !it }
        }
    }
}
