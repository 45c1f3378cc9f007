/** The OOD detector in a checkpoint. */

package org.sartor.saved

import org.sartor.confidence.OODDetector
import org.sartor.contract.Manifest
import org.sartor.data.volume

/**
 * Return the detector of a checkpoint, or null if it has none.
 *
 * @throws org.sartor.CheckpointError if its tensors are damaged.
 */
internal fun detectorOf(checkpoint: Checkpoint, manifest: Manifest): OODDetector? {
    val threshold = checkpoint.oodThreshold ?: return null
    val size = manifest.features.sumOf { volume(it.shape) }
    return OODDetector.fromTensors(checkpoint.ood, threshold, size, checkpoint.classes.size)
}
