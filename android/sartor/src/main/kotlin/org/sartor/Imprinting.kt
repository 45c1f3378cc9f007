package org.sartor

import org.sartor.confidence.OODDetector
import org.sartor.confidence.calibrate
import org.sartor.contract.Manifest
import org.sartor.data.CLASSIFICATION
import org.sartor.litert.Engine

/**
 * An engine, and what sets the weights of its classes.
 *
 * @property engine engine that holds the model.
 * @property manifest manifest of the model.
 * @property weights sets the weights of classes in [engine].
 */
internal class WritableModel(
    val engine: Engine,
    val manifest: Manifest,
    val weights: ClassWeights,
)

/**
 * Imprint the classes that have got samples since the last call, by rising index.
 *
 * If all classes are new, it sets the temperature of a classification too.
 *
 * @param model model to change.
 * @param classIndices class name → class index, of all classes by rising index.
 * @param newClasses the classes that no training has changed.
 * @param detector OOD detector in use.
 * @return the detector, with prototypes of these classes.
 */
internal fun imprintChanged(
    model: WritableModel,
    classIndices: Map<String, Int>,
    newClasses: NewClasses,
    detector: OODDetector?,
): OODDetector? {
    var result = detector
    for ((label, index) in classIndices) {
        val mean = newClasses.means[label]
        if (mean == null || label !in newClasses.changed) continue
        model.weights.imprint(index, mean.row())
        if (mean.count > 0) result = result?.withClass(index, mean.row(), mean.count)
    }
    newClasses.changed.clear()
    val isClassification = model.manifest.task == CLASSIFICATION
    if (isClassification && classIndices.keys.all(newClasses::has)) {
        val means = classIndices.keys.map { newClasses.means.getValue(it).row() }
        calibrate(model.engine, model.manifest, means)
    }
    return result
}
