package org.sartor.data

import org.sartor.DataError
import org.sartor.Label
import org.sartor.contract.Manifest

/** A task of a head. Matrices have one row per sample and one column per class index. */
internal interface Task {
    /**
     * Return the targets of a label: class name → target.
     *
     * @param label label of a sample.
     * @param classes names of all present classes.
     * @throws DataError if the label is not valid for the task.
     */
    fun targets(label: Label, classes: Collection<String>): Map<String, Double>

    /**
     * Return the weights of a data set: [N, 1], or [N, C] if the outputs are independent.
     *
     * @param targets targets [N, C]; NaN where a target is missing.
     * @param fractions fraction of each row, [N].
     */
    fun weights(targets: Matrix, fractions: DoubleArray): Matrix

    /**
     * Return the targets of training steps, [N, C].
     *
     * @param targets targets [N, C]; 0 where a target is missing.
     */
    fun trainingTargets(targets: Matrix): Matrix = targets

    /**
     * Return the number of correct outputs among those with a weight above 0.
     *
     * @param outputs outputs [N, C].
     * @param targets targets [N, C]; 0 where a target is missing.
     * @param weights weights [N, 1] or [N, C].
     */
    fun correct(outputs: Matrix, targets: Matrix, weights: Matrix): Int
}

/** Name of a task that gives each sample one class. */
internal const val CLASSIFICATION: String = "classification"

/** Name of a task with several labels for a sample. */
internal const val MULTI_LABEL: String = "multi_label"

/** Name of a task that predicts numbers. */
internal const val REGRESSION: String = "regression"

/** [Manifest.task] → task. */
private val TASKS: Map<String, Task> = mapOf(
    CLASSIFICATION to Classification,
    MULTI_LABEL to MultiLabel,
    REGRESSION to Regression,
)

private const val SMOOTHING = 0.3 // of the labels: the part of a target that all classes share

private object Classification : Task {
    override fun targets(label: Label, classes: Collection<String>): Map<String, Double> {
        val name = label as? Label.Name ?: throw notAName(describe(label))
        return mapOf(className(name.name) to 1.0)
    }

    override fun weights(targets: Matrix, fractions: DoubleArray): Matrix {
        val classes = rowClasses(targets)
        val sums = DoubleArray(targets.columns)
        classes.forEachIndexed { row, index -> sums[index] += fractions[row] }
        val present = sums.count { it > 0 }
        val total = fractions.sum()
        val values = FloatArray(classes.size) { row ->
            (fractions[row] * (total / (present * sums[classes[row]]))).toFloat()
        }
        return Matrix(values, 1)
    }

    /**
     * Return targets with label smoothing (Szegedy et al., 2016) over the classes of the rows.
     *
     * The loss then has its minimum at finite weights, also where samples have wrong labels.
     */
    override fun trainingTargets(targets: Matrix): Matrix {
        val isPresent = BooleanArray(targets.columns)
        targets.data.forEachIndexed { i, target ->
            if (target > 0) isPresent[i % targets.columns] = true
        }
        val share = SMOOTHING / maxOf(1, isPresent.count { it })
        return targets.map { target, i ->
            ((1 - SMOOTHING) * target + if (isPresent[i % targets.columns]) share else 0.0).toFloat()
        }
    }

    override fun correct(outputs: Matrix, targets: Matrix, weights: Matrix): Int =
        outputs.indices.count { outputs.argmax(it) == targets.argmax(it) }
}

private object MultiLabel : Task {
    override fun targets(label: Label, classes: Collection<String>): Map<String, Double> =
        when (label) {
            is Label.Name -> absent(classes) + (className(label.name) to 1.0)
            is Label.Names -> absent(classes) + label.names.map { className(it) to 1.0 }
            is Label.Targets -> label.targets.entries.associate { (name, value) ->
                className(name) to if (applies(name, value)) 1.0 else 0.0
            }
        }

    override fun weights(targets: Matrix, fractions: DoubleArray): Matrix =
        maskMissing(targets, fractions)

    override fun correct(outputs: Matrix, targets: Matrix, weights: Matrix): Int =
        outputs.data.indices.count {
            weights.data[it] > 0 && (outputs.data[it] > 0.5) == (targets.data[it] > 0.5)
        }

    private fun absent(classes: Collection<String>): Map<String, Double> =
        classes.associateWith { 0.0 }

    private fun applies(name: Any?, value: Any?): Boolean = when (value) {
        is Boolean -> value
        is Number -> value.toDouble() != 0.0
        else -> throw DataError("'$name' must be true or false; got $value")
    }
}

private object Regression : Task {
    override fun targets(label: Label, classes: Collection<String>): Map<String, Double> {
        if (label !is Label.Targets) {
            throw DataError(
                "the model predicts numbers: give name → number; got ${describe(label)}",
            )
        }
        return label.targets.entries.associate { (name, value) ->
            className(name) to finiteNumber(name, value)
        }
    }

    override fun weights(targets: Matrix, fractions: DoubleArray): Matrix =
        maskMissing(targets, fractions)

    /** A regression has no accuracy. */
    override fun correct(outputs: Matrix, targets: Matrix, weights: Matrix): Int = 0

    private fun finiteNumber(name: Any?, value: Any?): Double {
        val number = (value as? Number)?.toDouble() ?: Double.NaN
        if (number.isNaN() || number.isInfinite()) {
            throw DataError("'$name' must be a finite number; got $value")
        }
        return number
    }
}

/** Return the task of a model. */
internal fun taskOf(manifest: Manifest): Task = TASKS.getValue(manifest.task)

/** Return the fraction of correct outputs among those with a weight above 0; see [Task.correct]. */
internal fun accuracy(task: Task, outputs: Matrix, targets: Matrix, weights: Matrix): Double =
    task.correct(outputs, targets, weights).toDouble() / weights.data.count { it > 0 }

/** Return the class of each row: the index of its largest target, the lowest of several. */
internal fun rowClasses(targets: Matrix): IntArray {
    val present = targets.map { target, _ -> if (target.isNaN()) 0f else target }
    return IntArray(targets.rows) { present.argmax(it) }
}

private fun maskMissing(targets: Matrix, fractions: DoubleArray): Matrix =
    targets.map { target, at ->
        if (target.isNaN()) 0f else fractions[at / targets.columns].toFloat()
    }

// control characters, surrogates and line ends
private val NOT_IN_NAMES = Regex("[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}]")

private fun className(name: Any?): String {
    if (name !is String || name.isBlank()) {
        throw notAName(if (name is String) "'$name'" else "$name")
    }
    if (NOT_IN_NAMES.containsMatchIn(name)) {
        throw DataError("a label must be one line of printable characters; got '$name'")
    }
    return name
}

private fun notAName(got: String): DataError =
    DataError("a label must be the name of a class, such as 'hat'; got $got")

private fun describe(label: Label): String = when (label) {
    is Label.Name -> "'${label.name}'"
    is Label.Names -> label.names.toString()
    is Label.Targets -> label.targets.toString()
}
