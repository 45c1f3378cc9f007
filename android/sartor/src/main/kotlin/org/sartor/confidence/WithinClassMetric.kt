/** A metric in which the samples of a class differ less: Mahalanobis cosine similarity. */

package org.sartor.confidence

import kotlin.math.sqrt
import org.sartor.CheckpointError
import org.sartor.addTo
import org.sartor.columnSums
import org.sartor.contract.Contract
import org.sartor.contract.FloatTensor
import org.sartor.contract.FloatTensors
import org.sartor.data.Matrix
import org.sartor.dot
import org.sartor.indicesOf

private const val MOST_DIRECTIONS = 64
private const val RIDGE = 0.3 // of the mean square of the residuals
private const val LEAST_SQUARE = 1e-6
private const val LARGEST_SQUARE = 1.001 // V Vᵀ is at most I

/**
 * The inner product `⟨a, b⟩ = a · b − (V a) · (V b)`.
 *
 * V follows from the residuals R of a few rows, their differences to the means of their classes:
 * `V = L⁻¹ R`, with `L Lᵀ = R Rᵀ + λ I`. By the Woodbury identity, the metric is the inverse of
 * `I + Rᵀ R / λ`, a regularized covariance within the classes, as in a Mahalanobis distance,
 * without a matrix of F² numbers.
 *
 * @property directions V, [D, F]; D is at most 64. The metric is plain without directions.
 */
internal class WithinClassMetric(@JvmField val directions: Matrix) {
    /** Return the norm `√⟨x, x⟩` of a row in this metric, at least 1e-3. */
    fun norm(rows: Matrix, row: Int): Double {
        var square = dot(rows, row, rows, row)
        for (direction in directions.indices) {
            val product = dot(directions, direction, rows, row)
            square -= product * product
        }
        return sqrt(maxOf(square, LEAST_SQUARE))
    }

    /**
     * Return vectors whose products with rows are similarities, but for [norm].
     *
     * `x · p′ / √⟨x, x⟩` is the cosine similarity of x and p in this metric, times the length of p.
     *
     * @param prototypes [R, F].
     * @return [R, F]: `p′ = |p| (p − Vᵀ V p) / √⟨p, p⟩`.
     */
    fun transform(prototypes: Matrix): Matrix {
        val result = Matrix.filled(prototypes.rows, prototypes.columns)
        for (row in prototypes.indices) {
            val prototype = columnSums(prototypes, intArrayOf(row))
            val inner = prototype.copyOf()
            for (direction in directions.indices) {
                addTo(inner, directions, direction, -dot(directions, direction, prototypes, row))
            }
            val square = maxOf(dot(prototype, inner), LEAST_SQUARE)
            val factor = sqrt(dot(prototype, prototype) / square)
            result.setRow(row, FloatArray(inner.size) { (factor * inner[it]).toFloat() })
        }
        return result
    }

    /** Return the tensor of a checkpoint; none without directions. */
    fun toTensors(): FloatTensors = when (directions.rows) {
        0 -> emptyMap()
        else -> mapOf(Contract.OOD_DIRECTIONS to tensorOf(directions))
    }

    companion object {
        /** Return the plain inner product of vectors of [size] numbers. */
        fun plain(size: Int): WithinClassMetric = WithinClassMetric(Matrix.filled(0, size))

        /**
         * Fit the metric to rows.
         *
         * @param rows rows of length 1, [N, F]; N at least 1.
         * @param classes class index of each row, [N].
         * @param most largest number of directions, besides 64 and N; at least 1. Default: N.
         */
        fun fit(rows: Matrix, classes: IntArray, most: Int = rows.rows): WithinClassMetric {
            val count = minOf(MOST_DIRECTIONS, rows.rows, most)
            val chosen = IntArray(count) { it * rows.rows / count }
            val residuals = residualsOf(rows, classes, chosen)
            val products = Array(count) { i ->
                DoubleArray(i + 1) { j -> dot(residuals[i], residuals[j]) }
            }
            val meanSquare = products.sumOf { it.last() } / count
            if (meanSquare < LEAST_SQUARE) return plain(rows.columns)
            for ((i, row) in products.withIndex()) row[i] += RIDGE * meanSquare
            factorize(products)
            solve(products, residuals)
            val directions = Matrix.filled(count, rows.columns)
            residuals.forEachIndexed { i, row ->
                directions.setRow(i, FloatArray(row.size) { row[it].toFloat() })
            }
            return WithinClassMetric(directions)
        }

        /**
         * Create a metric of vectors of [size] numbers from the tensors of a checkpoint.
         *
         * @throws CheckpointError if the directions have another shape, or values that none can
         *   have.
         */
        fun fromTensors(tensors: FloatTensors, size: Int): WithinClassMetric {
            val tensor = tensors[Contract.OOD_DIRECTIONS] ?: return plain(size)
            val count = tensor.shape.firstOrNull() ?: 0
            if (count !in 1..MOST_DIRECTIONS || tensor.shape != listOf(count, size)) {
                throw CheckpointError(
                    "expected ${Contract.OOD_DIRECTIONS} [D, $size] with D at most " +
                        "$MOST_DIRECTIONS, got ${tensor.shape}: the checkpoint is damaged",
                )
            }
            val directions = Matrix(tensor.data, size)
            if (!directions.indices.all { dot(directions, it, directions, it) <= LARGEST_SQUARE }) {
                throw CheckpointError(
                    "${Contract.OOD_DIRECTIONS} has rows longer than 1: the checkpoint is damaged",
                )
            }
            return WithinClassMetric(directions)
        }
    }
}

/** Return a matrix as a tensor. */
internal fun tensorOf(matrix: Matrix): FloatTensor =
    FloatTensor(listOf(matrix.rows, matrix.columns), matrix.data)

/** Return the differences of some rows to the means of their classes. */
private fun residualsOf(rows: Matrix, classes: IntArray, chosen: IntArray): Array<DoubleArray> {
    val means = HashMap<Int, DoubleArray>()
    return Array(chosen.size) { i ->
        val index = classes[chosen[i]]
        val mean = means.getOrPut(index) {
            val members = indicesOf(classes.size) { classes[it] == index }
            val sums = columnSums(rows, members)
            DoubleArray(sums.size) { sums[it] / members.size }
        }
        DoubleArray(mean.size) { rows[chosen[i], it] - mean[it] }
    }
}
