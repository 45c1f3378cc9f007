package org.sartor.recipe

import org.sartor.TrainingOptions
import org.sartor.contract.FeatureSpec
import org.sartor.contract.Fingerprints
import org.sartor.contract.HeadSpec
import org.sartor.contract.LossSpec
import org.sartor.contract.Manifest
import org.sartor.contract.OptimizerSpec
import org.sartor.contract.StepSpec
import org.sartor.data.CLASSIFICATION
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.data.trainingDataset
import org.sartor.store.SampleSet

internal fun Values.int(name: String): Int = (getValue(name) as Number).toInt()

internal fun Values.long(name: String): Long = (getValue(name) as Number).toLong()

internal fun Values.number(name: String): Double? = (this[name] as Number?)?.toDouble()

internal fun Values.text(name: String): String = getValue(name) as String

internal fun Values.list(name: String): List<*> = getValue(name) as List<*>

internal fun Values.ints(name: String): IntArray =
    list(name).map { (it as Number).toInt() }.toIntArray()

internal fun Values.numbers(name: String): DoubleArray =
    list(name).map { (it as Number).toDouble() }.toDoubleArray()

internal fun Values.floats(name: String): FloatArray =
    numbers(name).map { it.toFloat() }.toFloatArray()

@Suppress("UNCHECKED_CAST")
internal fun Values.values(name: String): Values = getValue(name) as Values

@Suppress("UNCHECKED_CAST")
internal fun Values.records(name: String): List<Values> = getValue(name) as List<Values>

/** Return a table as a matrix; null becomes NaN. */
internal fun Values.matrix(name: String): Matrix = matrixOf(list(name))

private fun matrixOf(rows: List<*>): Matrix {
    val values = rows.flatMap { it as List<*> }.map { (it as Number?)?.toFloat() ?: Float.NaN }
    return Matrix(values.toFloatArray(), (rows.firstOrNull() as List<*>?)?.size ?: 1)
}

/** Return the columns of classes, with ones. */
internal fun oneHot(classes: IntArray): Matrix {
    val targets = Matrix.filled(classes.size, classes.max() + 1)
    classes.forEachIndexed { row, index -> targets[row, index] = 1f }
    return targets
}

/** Return class name → class index for some classes. */
internal fun classIndices(count: Int): Map<String, Int> =
    (0 until count).associateBy { "class $it" }

/**
 * Return the samples of a case as the store does.
 *
 * @param sizes number of values of each features tensor. Default: one tensor.
 */
internal fun sampleSet(inputs: Values, sizes: List<Int>? = null): SampleSet {
    val targets = inputs.matrix("targets")
    val rows =
        if ("features" in inputs) inputs.matrix("features") else Matrix.filled(targets.rows, 1)
    val samples = when ("samples") {
        in inputs -> inputs.ints("samples").map { it.toLong() }.toLongArray()
        else -> LongArray(targets.rows) { it.toLong() }
    }
    val classes = classIndices(targets.columns).keys.toList()
    return SampleSet(columns(rows, sizes ?: listOf(rows.columns)), samples, targets, classes)
}

/** Split the columns of rows into matrices of some sizes. */
private fun columns(rows: Matrix, sizes: List<Int>): List<Matrix> {
    var start = 0
    return sizes.map { size ->
        val part = Matrix.filled(rows.rows, size)
        for (row in part.indices) part.setRow(row, rows.data, rows.start(row) + start)
        start += size
        part
    }
}

/** Return the data set of samples for a model that has just their classes. */
internal fun dataset(task: String, inputs: Values): Dataset {
    val samples = sampleSet(inputs)
    val count = samples.targets.columns
    return trainingDataset(manifestOf(task, count), samples, classIndices(count))
}

/** Return the data set of samples of one class each, with some features. */
internal fun dataset(classes: IntArray, features: Matrix): Dataset {
    val samples = LongArray(classes.size) { it.toLong() }
    val targets = oneHot(classes)
    val names = classIndices(targets.columns)
    val set = SampleSet(listOf(features), samples, targets, names.keys.toList())
    return trainingDataset(manifestOf(CLASSIFICATION, targets.columns), set, names)
}

/** Return the options of a training, as the vectors name them. */
internal fun optionsOf(options: Values, seed: Long = 0): TrainingOptions = TrainingOptions(
    epochs = options["epochs"] as Int?,
    patience = options["patience"] as Int?,
    learningRate = options.number("learning_rate"),
    weightDecay = options.number("weight_decay"),
    seed = seed,
)

/** Return a manifest with the values that the recipe needs, and others that are never read. */
internal fun manifestOf(task: String, capacity: Int): Manifest = Manifest(
    contract = 1,
    inputs = emptyList(),
    features = listOf(FeatureSpec("features", listOf(1), "float32", null, null)),
    batchSize = 32,
    classes = List(capacity) { "class $it" },
    task = task,
    weightsPerOutput = task != CLASSIFICATION,
    head = HeadSpec("head", emptyMap(), featureNorm = 1.0),
    loss = LossSpec("loss", emptyMap(), curvature = 1.0),
    optimizer = OptimizerSpec("optimizer", emptyMap(), StepSpec(false, 0.0, false, null), null),
    learningRate = null,
    weightDecay = null,
    variables = emptyList(),
    fingerprints = Fingerprints("", "", ""),
    layers = null,
    frozen = null,
    requires = emptyList(),
    generator = "",
    classKeys = null,
    digest = "",
)
