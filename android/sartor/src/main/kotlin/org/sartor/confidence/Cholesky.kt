/** The Cholesky factorization of a small matrix. */

package org.sartor.confidence

import kotlin.math.sqrt

/**
 * Replace a symmetric positive definite matrix A by its factor L, with `L Lᵀ = A`.
 *
 * @param matrix lower triangle of A: row i has i + 1 numbers.
 */
internal fun factorize(matrix: Array<DoubleArray>) {
    for ((i, row) in matrix.withIndex()) {
        for (j in 0..i) {
            for (k in 0 until j) row[j] -= row[k] * matrix[j][k]
            row[j] = if (i == j) sqrt(row[j]) else row[j] / matrix[j][j]
        }
    }
}

/**
 * Replace a matrix B by `L⁻¹ B`.
 *
 * @param lower L, lower triangle: row i has i + 1 numbers.
 * @param rows rows of B, as many as those of L.
 */
internal fun solve(lower: Array<DoubleArray>, rows: Array<DoubleArray>) {
    for ((i, row) in rows.withIndex()) {
        for (j in 0 until i) {
            val factor = lower[i][j]
            val solved = rows[j]
            for (k in row.indices) row[k] -= factor * solved[k]
        }
        for (k in row.indices) row[k] /= lower[i][i]
    }
}
