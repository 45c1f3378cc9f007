package org.sartor.confidence

import org.sartor.contract.Manifest
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.distinct

private const val MOST_ROWS = 400 // above, one fold is enough, and a third of the time
private const val MOST_NUMBERS = 1 shl 20 // of all features; above, each fold takes seconds

/**
 * The result of a cross-validation.
 *
 * @property temperature temperature of the model, above 0.
 * @property oodDetector OOD detector; null for several labels per sample, or too few samples.
 * @property accuracy expected accuracy, from that on held-out samples, 0…1; null if no sample was
 *   held out, or if there is one class only.
 * @property calibrationError expected calibration error on held-out samples at [temperature], 0…1;
 *   null where [accuracy] is, or for several labels per sample.
 * @property canHoldOut whether a class has two samples that are not near-duplicates.
 * @property heldOutClasses indices of the classes with held-out samples.
 */
internal class CrossValidation(
    val temperature: Double,
    val oodDetector: OODDetector?,
    val accuracy: Double?,
    val calibrationError: Double?,
    val canHoldOut: Boolean,
    val heldOutClasses: Set<Int>,
)

/**
 * Assign the rows of a data set to three folds; see [assignFolds].
 *
 * Of more than 400 rows, or more than 2²⁰ numbers (as 32 rows of 40,000 features), only the first
 * fold is held out.
 *
 * @param dataset N rows.
 * @param groups group of each row, [N]; rows of one group are held out together. See
 *   [groupNearDuplicates].
 * @param seed seed of the assignment.
 * @return the fold of each row, [N]; [NO_FOLD] for a row that is never held out.
 */
internal fun assignValidationFolds(dataset: Dataset, groups: IntArray, seed: Long): IntArray {
    val folds = assignFolds(dataset.classes, groups, seed)
    val isLarge = dataset.rows > MOST_ROWS || dataset.size > MOST_NUMBERS
    return when {
        isLarge -> IntArray(folds.size) { if (folds[it] > 0) NO_FOLD else folds[it] }
        else -> folds
    }
}

/**
 * Fit the temperature and the OOD detector to held-out outputs, and measure the accuracy.
 *
 * If no row was held out, the result has the default temperature and no accuracy.
 *
 * @param manifest manifest of the model, not that of a regression.
 * @param dataset N rows, all training data.
 * @param assigned folds as [assignValidationFolds] returns them, [N].
 * @param heldOut outputs for the rows of the folds whose training was completed.
 * @param outputs outputs [N, C] of the model that was trained on all rows, at temperature 1.
 * @param heldOutFeatures N rows of each features tensor, from tuned layers that were trained without
 *   the held-out rows. Default: the features of the data set.
 */
internal fun crossValidate(
    manifest: Manifest,
    dataset: Dataset,
    assigned: IntArray,
    heldOut: HeldOutOutputs,
    outputs: Matrix,
    heldOutFeatures: List<Matrix>? = null,
): CrossValidation {
    val rows = heldOut.rows
    val isHeldOut = rows.isNotEmpty()
    val isSingle = !manifest.weightsPerOutput
    val prior = defaultTemperature(outputs)
    val temperature = fitTemperature(heldOut.labelled(manifest, dataset), prior)
    val calibrated = if (isHeldOut) applyTemperature(heldOut.outputs, temperature) else null
    val hasAccuracy = isHeldOut && (!isSingle || distinct(dataset.classes).size > 1)
    val accuracy = if (hasAccuracy) accuracyOfAll(manifest, dataset, heldOut) else null
    val folds = if (isHeldOut) heldOut.folds else assigned
    val features = heldOutFeatures ?: dataset.features
    val detector = if (isSingle) {
        OODDetector.fit(features, dataset.classes, folds, calibrated)
    } else {
        null
    }
    return CrossValidation(
        temperature = temperature,
        oodDetector = when (heldOutFeatures) {
            null -> detector
            else -> detector?.withFeatures(dataset.features, dataset.classes)
        },
        accuracy = accuracy,
        calibrationError = if (isSingle && calibrated != null && accuracy != null) {
            expectedCalibrationError(calibrated.take(rows), dataset.targets.take(rows))
        } else {
            null
        },
        canHoldOut = assigned.any { it >= 0 },
        heldOutClasses = classesOf(dataset.targets, rows),
    )
}

/** Return the expected accuracy of the model of all rows, from that on the held-out rows. */
private fun accuracyOfAll(manifest: Manifest, dataset: Dataset, heldOut: HeldOutOutputs): Double {
    val rows = heldOut.rows
    val count = distinct(IntArray(rows.size) { heldOut.folds[rows[it]] }).size
    val fraction = 1 - rows.size.toDouble() / dataset.rows / count
    return expectedAccuracy(heldOut.accuracy(manifest, dataset), fraction)
}

/** Return the columns with a target above 0 in some rows. */
private fun classesOf(targets: Matrix, rows: IntArray): Set<Int> =
    (0 until targets.columns).filter { column -> rows.any { targets[it, column] > 0 } }.toSet()
