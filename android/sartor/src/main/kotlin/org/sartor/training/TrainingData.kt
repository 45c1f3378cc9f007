package org.sartor.training

import org.sartor.DataError
import org.sartor.TrainingOptions
import org.sartor.confidence.OODDetector
import org.sartor.confidence.assignFolds
import org.sartor.confidence.groupNearDuplicates
import org.sartor.confidence.withinClassFraction
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.CLASSIFICATION
import org.sartor.data.Matrix
import org.sartor.data.REGRESSION
import org.sartor.data.rowClasses
import org.sartor.indicesOf
import org.sartor.litert.Variables
import org.sartor.store.SampleSet

private const val UNIFORM = 0.2 // of the mean squared distance; one burst: 0.1, others: 0.8

/**
 * The state of a model at the start of a training.
 *
 * @property classIndices class name → class index, of all classes by rising index.
 * @property variables the weights in use.
 * @property detector OOD detector in use.
 * @property untrained names of the classes whose weights are all zero.
 */
internal class ModelSnapshot(
    val classIndices: Map<String, Int>,
    val variables: Variables,
    val detector: OODDetector?,
    val untrained: Set<String>,
)

/**
 * The samples of one training, and the weights that it starts from.
 *
 * @property samples training samples, at least one.
 * @property heldOut samples for early stopping; null disables it.
 * @property classIndices class name → class index, of all classes by rising index.
 * @property variables the weights in use.
 * @property detector OOD detector in use.
 * @property isWarm whether training continues from [variables]. Otherwise it starts from scratch,
 *   and a cross-validation follows.
 * @property absent names of the classes that have weights but no samples.
 */
internal data class TrainingData(
    val samples: SampleSet,
    val heldOut: SampleSet?,
    val classIndices: Map<String, Int>,
    val variables: Variables,
    val detector: OODDetector?,
    val isWarm: Boolean,
    val absent: List<String>,
) {
    /** Return the data with some of the samples, and without early stopping. */
    fun part(rows: IntArray): TrainingData = copy(samples = samples.take(rows), heldOut = null)

    /** Return the group of each row of the samples, [N]; see [groupNearDuplicates]. */
    fun groups(): IntArray = groupsOf(samples, classIndices)

    /** Return whether the photos of each class are as alike as those of one burst. */
    fun isUniform(manifest: Manifest): Boolean {
        val isImage = manifest.inputs.first().modality == Contract.IMAGE
        if (manifest.task != CLASSIFICATION || !isImage) {
            return false // classes of numbers may be well separated
        }
        val classes = classesOfRows(samples, classIndices)
        return withinClassFraction(samples.features, classes, samples.samples) < UNIFORM
    }
}

/**
 * Create the data of a training.
 *
 * Training continues from the weights in use if a class has weights but no samples (a checkpoint
 * brought it): without its samples it cannot be trained from scratch.
 *
 * @param manifest manifest of the model.
 * @param options options of the training.
 * @param model the model at the start.
 * @param samples all training samples.
 * @param heldOut all held-out samples; there may be none.
 * @throws DataError if there are no training samples, or none for early stopping.
 */
internal fun createTrainingData(
    manifest: Manifest,
    options: TrainingOptions,
    model: ModelSnapshot,
    samples: SampleSet,
    heldOut: SampleSet,
): TrainingData {
    if (samples.samples.isEmpty()) {
        throw DataError(
            if (heldOut.samples.isNotEmpty()) {
                "all samples are held out: add training samples with addSample first"
            } else {
                "there are no training samples: add samples with addSample first"
            },
        )
    }
    val withSamples = (namesIn(manifest, samples) + namesIn(manifest, heldOut)).toSet()
    val absent = model.classIndices.keys.filter { it !in withSamples && it !in model.untrained }
    val isWarm = options.warmStart || options.onlyMeasures || absent.isNotEmpty()
    val (training, validation) = selectParts(options, samples, heldOut, model.classIndices)
    return TrainingData(
        training,
        validation,
        model.classIndices,
        model.variables,
        model.detector,
        isWarm,
        absent,
    )
}

/** Return the samples to train on and those for early stopping: a third of each class. */
private fun selectParts(
    options: TrainingOptions,
    samples: SampleSet,
    heldOut: SampleSet,
    classIndices: Map<String, Int>,
): Pair<SampleSet, SampleSet?> {
    if (options.patience == null) return samples to null
    if (heldOut.samples.isNotEmpty()) return samples to heldOut
    val classes = classesOfRows(samples, classIndices)
    val folds = assignFolds(classes, groupsOf(samples, classIndices), options.seed)
    val rows = indicesOf(folds.size) { folds[it] == 0 }
    if (rows.isEmpty()) {
        throw DataError(
            "patience needs held-out samples: add a second sample of a class that is not a " +
                "near-duplicate of the first, or held-out samples",
        )
    }
    return samples.take(indicesOf(folds.size) { folds[it] != 0 }) to samples.take(rows)
}

private fun groupsOf(samples: SampleSet, classIndices: Map<String, Int>): IntArray =
    groupNearDuplicates(samples.features, classesOfRows(samples, classIndices), samples.samples)

/** Return the class index of the largest target of each row; of equal ones, the lowest. */
private fun classesOfRows(samples: SampleSet, classIndices: Map<String, Int>): IntArray {
    val columns = samples.classes.indices.sortedBy { classIndices.getValue(samples.classes[it]) }
    val targets = Matrix.filled(samples.targets.rows, columns.size)
    for (row in targets.indices) {
        columns.forEachIndexed { i, column -> targets[row, i] = samples.targets[row, column] }
    }
    val indices = columns.map { classIndices.getValue(samples.classes[it]) }
    return IntArray(targets.rows).also { result ->
        rowClasses(targets).forEachIndexed { row, i -> result[row] = indices.getOrElse(i) { 0 } }
    }
}

/** Return the names of the classes with samples: a target above 0, or any for a regression. */
private fun namesIn(manifest: Manifest, samples: SampleSet): List<String> {
    val targets = samples.targets
    return samples.classes.filterIndexed { column, _ ->
        targets.indices.any { row ->
            val target = targets[row, column]
            target > 0 || (manifest.task == REGRESSION && !target.isNaN())
        }
    }
}
