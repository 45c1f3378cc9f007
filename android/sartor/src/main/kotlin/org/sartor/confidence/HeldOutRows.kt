/** Compare rows with the prototypes of other rows, to fit an OOD detector. */

package org.sartor.confidence

import java.util.TreeMap
import org.sartor.addTo
import org.sartor.data.Matrix
import org.sartor.distinct
import org.sartor.indicesOf

private const val LEAST_SIMILARITY = 0.05

/**
 * The rows that are held out together.
 *
 * @param rows all rows, [N, F].
 * @property heldOut numbers of the rows of a fold.
 * @property others numbers of the other rows.
 * @property metric metric of the other rows.
 */
internal class HeldOutRows(
    rows: Matrix,
    @JvmField val heldOut: IntArray,
    @JvmField val others: IntArray,
    @JvmField val metric: WithinClassMetric,
) {
    /** Norm of each held-out row in the metric, and 0 for the others, [N]. */
    @JvmField val norms: DoubleArray = DoubleArray(rows.rows).also {
        for (row in heldOut) it[row] = metric.norm(rows, row)
    }
}

/**
 * Return the held-out rows of each fold that does not have all rows, from the lowest fold.
 *
 * @param rows rows of length 1, [N, F].
 * @param classes class index of each row, [N].
 * @param folds fold of each row, [N]; below 0 if it is not held out.
 */
internal fun heldOutRows(rows: Matrix, classes: IntArray, folds: IntArray): List<HeldOutRows> =
    distinct(folds).filter { it >= 0 }.mapNotNull { fold ->
        val others = indicesOf(folds.size) { folds[it] != fold }
        if (others.isEmpty()) return@mapNotNull null
        val metric = WithinClassMetric.fit(rows.take(others), take(classes, others))
        HeldOutRows(rows, indicesOf(folds.size) { folds[it] == fold }, others, metric)
    }

/**
 * Return ρ, the mean cosine similarity of two rows of a class.
 *
 * The pairs are rows of the same part, in its metric. If no part has two rows of a class, they are
 * any two rows, in the plain metric.
 *
 * @param parts see [heldOutRows].
 * @return 0.05…1; 1 if no class has two rows.
 */
internal fun withinClassSimilarity(
    rows: Matrix,
    classes: IntArray,
    parts: List<HeldOutRows>,
): Double {
    meanSimilarity(rows, classes, parts)?.let { return it }
    val plain = WithinClassMetric.plain(rows.columns)
    val all = HeldOutRows(rows, IntArray(rows.rows) { it }, IntArray(0), plain)
    return meanSimilarity(rows, classes, listOf(all)) ?: 1.0
}

/**
 * Compare each held-out row with the prototypes of the rows outside its fold.
 *
 * @param parts see [heldOutRows].
 * @param similarity ρ, see [withinClassSimilarity].
 * @return row → similarity, of the held-out rows whose class has rows outside their fold; in the
 *   order of the rows.
 */
internal fun heldOutSimilarities(
    rows: Matrix,
    classes: IntArray,
    parts: List<HeldOutRows>,
    similarity: Double,
): Map<Int, Double> {
    val similarities = TreeMap<Int, Double>()
    for (part in parts) {
        val otherClasses = take(classes, part.others)
        val prototypes = classPrototypes(rows.take(part.others), otherClasses, similarity)
        val transformed = part.metric.transform(prototypes.rows)
        val present = prototypes.classes.toSet()
        for (row in part.heldOut.filter { classes[it] in present }) {
            similarities[row] = largestProduct(rows, row, transformed) / part.norms[row]
        }
    }
    return similarities
}

/** Return ρ of the held-out rows of parts, 0.05…1; null if no part has two rows of a class. */
private fun meanSimilarity(rows: Matrix, classes: IntArray, parts: List<HeldOutRows>): Double? {
    var total = 0.0
    var pairs = 0
    for (part in parts) {
        for (members in part.heldOut.groupBy { classes[it] }.values) {
            val norm = part.normOfMean(rows, members)
            total += members.size * norm * norm - 1
            pairs += members.size - 1
        }
    }
    return if (pairs > 0) (total / pairs).coerceIn(LEAST_SIMILARITY, 1.0) else null
}

/** Return the norm of the mean of some held-out rows, each scaled to norm 1. */
private fun HeldOutRows.normOfMean(rows: Matrix, members: List<Int>): Double {
    val mean = DoubleArray(rows.columns)
    for (row in members) addTo(mean, rows, row, 1 / (members.size * norms[row]))
    return metric.norm(Matrix(FloatArray(mean.size) { mean[it].toFloat() }, mean.size), 0)
}

private fun take(values: IntArray, rows: IntArray) = IntArray(rows.size) { values[rows[it]] }
