package org.sartor.confidence

import org.sartor.columnSums
import org.sartor.data.Matrix
import org.sartor.distinct
import org.sartor.indicesOf

private const val NEAR = 0.5 // of the typical distance: near-duplicates are closer
private const val BLOCK = 64 // numbers between two checks of a limit
private const val LATEST = 256 // representatives that a sample is compared with: bounds the cost

/**
 * Assign a group to each row: near-duplicates of one class, such as the photos of a burst, share a
 * group.
 *
 * A near-duplicate of a training sample says nothing about new samples: with five photos per class
 * and four more frames of each, folds that ignore groups give an expected accuracy 25 to 45 points
 * too high. So cross-validation and early stopping hold out whole groups.
 *
 * The typical distance is the root mean square of the Euclidean distance between the features of
 * two samples of the same class. The samples of a class are visited in order. The first sample of a
 * group represents it. A sample joins the group of its nearest representative if that is at most
 * 1/2 of the typical distance away; otherwise it starts a group. Only the latest 256
 * representatives of the class are compared.
 *
 * @param features N rows of each features tensor.
 * @param classes class index of each row, [N].
 * @param samples number of the sample of each row, [N]. The first row of a sample counts, the
 *   others are its augmentations.
 * @return the group of each row, [N], from 0, numbered by their first samples.
 */
internal fun groupNearDuplicates(
    features: List<Matrix>,
    classes: IntArray,
    samples: LongArray,
): IntArray {
    val first = firstRows(samples)
    val rows = centeredRows(features, first)
    val classOfRow = IntArray(first.size) { classes[first[it]] }
    val limit = NEAR * NEAR * typicalSquare(rows, classOfRow)
    val representatives = representatives(rows, classOfRow, limit)
    val numbers = HashMap<Int, Int>() // of the groups, by their representatives
    val groupOfSample = HashMap<Long, Int>()
    first.forEachIndexed { i, row ->
        groupOfSample[samples[row]] = numbers.getOrPut(representatives[i]) { numbers.size }
    }
    return IntArray(samples.size) { groupOfSample.getValue(samples[it]) }
}

/**
 * Return the mean squared distance within classes, as a fraction of that of any two samples.
 *
 * If each class consists of one burst, no group of near-duplicates stands out, but this fraction is
 * about 0.1. For photos that differ it is 0.8 to 0.9.
 *
 * @return the fraction; 1 if all samples are equal, or no class has two samples.
 */
internal fun withinClassFraction(
    features: List<Matrix>,
    classes: IntArray,
    samples: LongArray,
): Double {
    val first = firstRows(samples)
    val rows = centeredRows(features, first)
    val within = typicalSquare(rows, IntArray(first.size) { classes[first[it]] })
    val total = typicalSquare(rows, IntArray(first.size))
    return if (within > 0 && total > 0) within / total else 1.0
}

/** Return the number of the first row of each sample. */
private fun firstRows(samples: LongArray): IntArray =
    indicesOf(samples.size) { it == 0 || samples[it] != samples[it - 1] }

/** Return rows minus their mean, [n, F]. */
private fun centeredRows(features: List<Matrix>, rows: IntArray): Matrix {
    val result = Matrix.concatenate(features.map { it.take(rows) })
    val center = columnMeans(result, IntArray(rows.size) { it })
    for (row in result.indices) {
        val start = result.start(row)
        for (i in center.indices) {
            result.data[start + i] = (result.data[start + i] - center[i]).toFloat()
        }
    }
    return result
}

/** Return the row that represents the group of each row. */
private fun representatives(rows: Matrix, classes: IntArray, limit: Double): IntArray {
    val result = IntArray(rows.rows) { it }
    for (index in distinct(classes)) {
        val latest = ArrayDeque<Int>()
        for (row in indicesOf(classes.size) { classes[it] == index }) {
            val nearest = nearestRow(rows, row, latest, limit)
            if (nearest != null) {
                result[row] = nearest
            } else {
                latest.addLast(row)
                if (latest.size > LATEST) latest.removeFirst()
            }
        }
    }
    return result
}

/** Return the mean squared distance between two samples of the same class; 0 without a pair. */
private fun typicalSquare(rows: Matrix, classes: IntArray): Double {
    var squares = 0.0
    var pairs = 0
    for (index in distinct(classes)) {
        val members = indicesOf(classes.size) { classes[it] == index }
        val center = columnMeans(rows, members)
        squares += members.sumOf { squaredDeviation(rows, it, center) }
        pairs += members.size - 1
    }
    return if (pairs > 0) 2 * squares / pairs else 0.0
}

/** Return the candidate with the smallest squared distance to a row, at most [limit]. */
private fun nearestRow(rows: Matrix, row: Int, candidates: List<Int>, limit: Double): Int? {
    var nearest: Int? = null
    var smallest = limit
    for (candidate in candidates) {
        val square = squaredDistance(rows, row, candidate, smallest)
        if (if (nearest == null) square <= limit else square < smallest) {
            nearest = candidate
            smallest = square
        }
    }
    return nearest
}

/**
 * Return the squared distance of two rows, or a part of it that is above a limit: most distances of
 * a class are.
 */
private fun squaredDistance(rows: Matrix, a: Int, b: Int, limit: Double): Double {
    val data = rows.data
    val offset = rows.start(b) - rows.start(a)
    val end = rows.start(a + 1)
    var at = rows.start(a)
    var total = 0.0
    while (at < end && total <= limit) {
        val next = minOf(at + BLOCK, end)
        while (at < next) {
            val difference = data[at].toDouble() - data[at + offset]
            total += difference * difference
            at += 1
        }
    }
    return total
}

private fun columnMeans(rows: Matrix, members: IntArray): DoubleArray {
    val means = columnSums(rows, members)
    for (i in means.indices) means[i] /= members.size.toDouble()
    return means
}

private fun squaredDeviation(rows: Matrix, row: Int, center: DoubleArray): Double {
    val start = rows.start(row)
    var total = 0.0
    for (i in center.indices) {
        val difference = rows.data[start + i] - center[i]
        total += difference * difference
    }
    return total
}
