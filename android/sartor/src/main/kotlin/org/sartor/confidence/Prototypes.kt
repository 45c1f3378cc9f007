package org.sartor.confidence

import kotlin.math.sqrt
import org.sartor.columnSums
import org.sartor.data.Matrix
import org.sartor.distinct
import org.sartor.dot
import org.sartor.indicesOf
import org.sartor.norm

private const val MOST_PROTOTYPES = 4 // per class
private const val ITERATIONS = 3
private const val SHORTEST = 1e-12

/**
 * Prototypes: a few typical feature directions per class.
 *
 * @property rows prototypes, [R, F].
 * @property classes class index of each prototype, [R].
 */
internal class Prototypes(@JvmField val rows: Matrix, @JvmField val classes: IntArray) {
    /** Return the prototypes without those of a class. */
    fun without(index: Int): Prototypes = take(indicesOf(classes.size) { classes[it] != index })

    /** Return the prototypes with one more. */
    fun with(index: Int, prototype: Matrix): Prototypes =
        Prototypes(Matrix.stack(listOf(rows, prototype)), classes + index)

    private fun take(numbers: IntArray): Prototypes =
        Prototypes(rows.take(numbers), IntArray(numbers.size) { classes[numbers[it]] })
}

/**
 * Concatenate the features of each row and scale them to length 1.
 *
 * @param features N rows of each features tensor.
 * @return a matrix [N, F]; a row of zeros stays zero.
 */
internal fun unitFeatures(features: List<Matrix>): Matrix {
    val rows = Matrix.concatenate(features)
    for (row in rows.indices) scaleToLength(rows, row, 1.0)
    return rows
}

/**
 * Compute at most four prototypes per class, with spherical k-means.
 *
 * The cosine similarity between a row and the mean of many others is about √ρ; between a row and a
 * single other one it is ρ. So the prototypes of a class with n rows get the length
 * √(1 + (1/ρ − 1)/n), which makes scores of classes with few and with many rows comparable.
 *
 * @param rows rows of length 1, [N, F]; N at least 1.
 * @param classes class index of each row, [N].
 * @param similarity ρ, the mean cosine similarity within a class, above 0.
 */
internal fun classPrototypes(rows: Matrix, classes: IntArray, similarity: Double): Prototypes {
    val indices = ArrayList<Int>()
    val centers = ArrayList<Matrix>()
    for (index in distinct(classes)) {
        val members = rows.take(indicesOf(classes.size) { classes[it] == index })
        val length = prototypeLength(similarity, members.rows)
        val ofClass = sphericalKMeans(members).map { value, _ -> (length * value).toFloat() }
        centers.add(ofClass)
        repeat(ofClass.rows) { indices.add(index) }
    }
    return Prototypes(Matrix.stack(centers), indices.toIntArray())
}

/**
 * Return the length of the prototypes of a class; see [classPrototypes].
 *
 * @param similarity mean cosine similarity within a class.
 * @param count number of rows of the class.
 */
internal fun prototypeLength(similarity: Double, count: Int): Double =
    sqrt(1 + (1 / similarity - 1) / count)

/** Return the largest product of a row with a prototype. */
internal fun largestProduct(rows: Matrix, row: Int, prototypes: Matrix): Double {
    var highest = Double.NEGATIVE_INFINITY
    for (i in prototypes.indices) highest = maxOf(highest, dot(rows, row, prototypes, i))
    return highest
}

/** Scale a row in place; zeros stay zero. */
internal fun scaleToLength(rows: Matrix, row: Int, length: Double) {
    val factor = length / maxOf(norm(rows, row), SHORTEST)
    for (at in rows.start(row) until rows.start(row + 1)) {
        rows.data[at] = (rows.data[at] * factor).toFloat()
    }
}

/**
 * Return at most four cluster centers of length 1.
 *
 * The first centers are evenly spaced rows: rows beside each other may be photos of one burst.
 */
private fun sphericalKMeans(rows: Matrix): Matrix {
    val count = minOf(MOST_PROTOTYPES, rows.rows)
    val centers = rows.take(IntArray(count) { it * rows.rows / count })
    repeat(ITERATIONS) {
        val nearest = IntArray(rows.rows) { nearestCenter(rows, it, centers) }
        for (center in 0 until count) {
            val sums = columnSums(rows, indicesOf(nearest.size) { nearest[it] == center })
            val length = norm(sums)
            if (length > 0) {
                val divisor = maxOf(length, SHORTEST)
                centers.setRow(center, FloatArray(sums.size) { (sums[it] / divisor).toFloat() })
            }
        }
    }
    return centers
}

/** Return the index of the center with the largest product, the first of several. */
private fun nearestCenter(rows: Matrix, row: Int, centers: Matrix): Int {
    var best = 0
    var highest = Double.NEGATIVE_INFINITY
    for (center in centers.indices) {
        val product = dot(rows, row, centers, center)
        if (product > highest) {
            best = center
            highest = product
        }
    }
    return best
}
