/** The OOD detector in a checkpoint. */

package org.sartor.saved

import org.sartor.confidence.OODDetector
import org.sartor.contract.Contract
import org.sartor.contract.FloatTensor
import org.sartor.contract.FloatTensors
import org.sartor.contract.Manifest
import org.sartor.data.volume

/**
 * Return the detector of a checkpoint, or null if it has none.
 *
 * @throws org.sartor.CheckpointError if its tensors are damaged.
 */
internal fun detectorOf(checkpoint: Checkpoint, manifest: Manifest): OODDetector? {
    val threshold = checkpoint.oodThreshold ?: return null
    val tensors = checkpoint.ood.mapValues { it.value.data }
    val size = manifest.features.sumOf { volume(it.shape) }
    return OODDetector.fromTensors(tensors, threshold, size, checkpoint.classes.size)
}

/** Return the tensors of a detector with their shapes; none without a detector. */
internal fun detectorTensors(detector: OODDetector?): FloatTensors {
    val tensors = detector?.toTensors() ?: return emptyMap()
    val count = tensors.getValue(Contract.OOD_CLASS_INDICES).size
    return tensors.mapValues { (name, values) ->
        val size = values.size
        val isTable = name == Contract.OOD_PROTOTYPES
        FloatTensor(if (isTable) listOf(count, size / count) else listOf(size), values)
    }
}
