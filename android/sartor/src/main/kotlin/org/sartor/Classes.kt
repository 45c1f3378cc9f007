package org.sartor

import kotlin.math.min
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.contract.VariableSpec
import org.sartor.data.Batch
import org.sartor.data.Matrix
import org.sartor.data.volume
import org.sartor.litert.Engine

/**
 * The weights of single classes in a model: imprinted, cleared, inspected.
 *
 * @param engine engine that holds the model.
 * @param manifest manifest of the model file.
 */
internal class ClassWeights(private val engine: Engine, private val manifest: Manifest) {
    private val batch = Batch(manifest)

    /**
     * Compute the weights of a class from features of its samples.
     *
     * @param index class index.
     * @param features rows of each features tensor. The first B rows count.
     */
    fun imprint(index: Int, features: List<Matrix>) {
        setClass(index, features.map { it.first(min(manifest.batchSize, it.rows)) }, 1f)
    }

    /**
     * Compute the normalization statistics of the head from samples of all classes.
     *
     * @param features at most B rows of each features tensor.
     */
    fun setNormalization(features: List<Matrix>) {
        setClass(null, features, 1f)
    }

    /**
     * Return features as the first layer of the head sees them, flat, in float64.
     *
     * @param features rows of each features tensor.
     */
    fun normalize(features: List<Matrix>): List<DoubleArray> {
        val variables = engine.variables()
        val center = variables[Contract.CENTER]
        val scale = variables[Contract.SCALE]?.get(0)?.toDouble() ?: 1.0
        val rows = Matrix.concatenate(features)
        return List(rows.rows) { row ->
            val values = rows.row(row)
            DoubleArray(values.size) { i ->
                val value = values[i].toDouble()
                if (center == null) value else scale * (value - center[i])
            }
        }
    }

    /** Zero the weights and the optimizer state of a class, and mask it. */
    fun clear(index: Int) {
        setClass(index, manifest.features.map { Matrix.filled(1, volume(it.shape)) }, 0f)
    }

    /** Return whether all weights of each class are zero, [C]. */
    fun areZero(): BooleanArray {
        val variables = engine.variables()
        val zero = BooleanArray(manifest.classes.size) { true }
        for (spec in manifest.variables) {
            if (spec.role == Contract.PARAMETER && spec.classAxis != null) {
                markClassesWithValues(spec, variables.getValue(spec.name), zero)
            }
        }
        return zero
    }

    private fun setClass(index: Int?, features: List<Matrix>, active: Float) {
        val oneHot = FloatArray(manifest.classes.size)
        if (index != null) oneHot[index] = 1f
        val own = mapOf(Contract.CLASS_ONE_HOT to oneHot, Contract.ACTIVE to floatArrayOf(active))
        engine.run("set_class", batch.classInputs(features) + own)
    }
}

/** Set false for each class with a value other than 0 in a variable with a class axis. */
private fun markClassesWithValues(spec: VariableSpec, values: FloatArray, zero: BooleanArray) {
    val axis = spec.classAxis ?: 0
    val stride = volume(spec.shape.drop(axis + 1)) // between two classes
    for (i in values.indices) {
        if (values[i] != 0f) zero[i / stride % spec.shape[axis]] = false
    }
}
