package org.sartor

import org.sartor.contract.FeatureSpec
import org.sartor.data.Matrix
import org.sartor.data.volume

/**
 * The mean features of the samples of a class, from running sums in float64.
 *
 * @param specs descriptions of the features tensors, from the manifest.
 */
internal class FeatureMean(specs: List<FeatureSpec>) {
    private val sums = specs.map { DoubleArray(volume(it.shape)) }

    /** Number of rows until now. */
    var count: Int = 0
        private set

    /** Add rows of each features tensor; there may be none. */
    fun add(features: List<Matrix>) {
        count += features.first().rows
        features.forEachIndexed { tensor, matrix ->
            val totals = columnSums(matrix, IntArray(matrix.rows) { it })
            for (i in totals.indices) sums[tensor][i] += totals[i]
        }
    }

    /** Return the mean as one row of each features tensor; no row if there is none. */
    fun row(): List<Matrix> = sums.map { sums ->
        val size = if (count == 0) 0 else sums.size
        Matrix(FloatArray(size) { (sums[it] / count).toFloat() }, sums.size)
    }
}

/**
 * The classes that no training has changed, with the means of their samples.
 *
 * @param specs descriptions of the features tensors, from the manifest.
 */
internal class NewClasses(private val specs: List<FeatureSpec>) {
    /** Class name → mean of its samples. */
    var means: Map<String, FeatureMean> = emptyMap()
        private set

    /** Names of the classes with samples that their weights do not contain yet. */
    val changed: MutableSet<String> = LinkedHashSet()

    private var inTraining: Map<String, FeatureMean> = emptyMap()

    /** Return whether no training has changed a class. */
    fun has(label: String): Boolean = label in means

    /** Return whether a class has samples. */
    fun hasSamples(label: String): Boolean = (means[label]?.count ?: 0) > 0

    /** Include classes that have weights already, or zeros. */
    fun include(labels: Iterable<String>) {
        means = means + labels.filterNot(::has).associateWith { FeatureMean(specs) }
    }

    /** Exclude classes, which are trained. */
    fun exclude(labels: Iterable<String>) {
        means = means - labels.toSet()
        changed.removeAll(labels.toSet())
    }

    /** Add a class without samples. */
    fun addClass(label: String) {
        include(listOf(label))
        changed.add(label)
    }

    /** Add samples of a class: rows of each features tensor. */
    fun addSamples(label: String, features: List<Matrix>) {
        include(listOf(label))
        means.getValue(label).add(features)
        changed.add(label)
    }

    /** Replace all samples of a class: rows of each features tensor. */
    fun setSamples(label: String, features: List<Matrix>) {
        means = means + (label to FeatureMean(specs))
        addSamples(label, features)
    }

    /**
     * Rename classes.
     *
     * @param renamed old name → new name.
     */
    fun rename(renamed: Map<String, String>) {
        val newName = { label: String -> renamed[label] ?: label }
        means = means.mapKeys { newName(it.key) }
        inTraining = inTraining.mapKeys { newName(it.key) }
        val labels = changed.map(newName)
        changed.clear()
        changed.addAll(labels)
    }

    /** Note the classes of a training: those with samples. */
    fun beginTraining() {
        inTraining = means.filterValues { it.count > 0 }
    }

    /**
     * Remove the classes of the training, or include them again if it has failed.
     *
     * All other classes with samples have to be imprinted again.
     */
    fun endTraining(hasFailed: Boolean) {
        if (hasFailed) {
            means = inTraining + means
        } else {
            exclude(inTraining.keys)
        }
        changed.clear()
        changed.addAll(means.keys.filter(::hasSamples))
    }
}
