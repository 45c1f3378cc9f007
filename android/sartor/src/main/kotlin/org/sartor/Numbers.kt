package org.sartor

import kotlin.math.sqrt
import org.sartor.data.Matrix

/** Return the standard deviation of the elements, with divisor N. */
internal fun deviation(values: DoubleArray): Double {
    val center = values.average()
    var total = 0.0
    for (value in values) total += (value - center) * (value - center)
    return sqrt(total / values.size)
}

/** Return the sum of float32 numbers in float64. */
internal fun sum(values: FloatArray): Double {
    var total = 0.0
    for (value in values) total += value
    return total
}

/** Return the sum of a row of a matrix. */
internal fun rowSum(matrix: Matrix, row: Int): Double {
    var total = 0.0
    for (at in matrix.start(row) until matrix.start(row + 1)) total += matrix.data[at]
    return total
}

/**
 * Return the product of two rows of the same length.
 *
 * Four sums at a time keep the processor busy: this is faster than one.
 */
internal fun dot(a: Matrix, rowOfA: Int, b: Matrix, rowOfB: Int): Double {
    val (x, y) = a.data to b.data
    val (from, to) = a.start(rowOfA) to b.start(rowOfB)
    val size = a.columns
    val end = size - size % 4
    var s = 0.0
    var t = 0.0
    var u = 0.0
    var v = 0.0
    var i = 0
    while (i < end) {
        s += x[from + i].toDouble() * y[to + i]
        t += x[from + i + 1].toDouble() * y[to + i + 1]
        u += x[from + i + 2].toDouble() * y[to + i + 2]
        v += x[from + i + 3].toDouble() * y[to + i + 3]
        i += 4
    }
    while (i < size) {
        s += x[from + i].toDouble() * y[to + i]
        i += 1
    }
    return s + t + (u + v)
}

/** Return the product of two vectors of the same length. */
internal fun dot(a: DoubleArray, b: DoubleArray): Double {
    val end = a.size - a.size % 4
    var s = 0.0
    var t = 0.0
    var u = 0.0
    var v = 0.0
    var i = 0
    while (i < end) {
        s += a[i] * b[i]
        t += a[i + 1] * b[i + 1]
        u += a[i + 2] * b[i + 2]
        v += a[i + 3] * b[i + 3]
        i += 4
    }
    while (i < a.size) {
        s += a[i] * b[i]
        i += 1
    }
    return s + t + (u + v)
}

/** Add a row of a matrix, times a factor, to sums in float64. */
internal fun addTo(sums: DoubleArray, matrix: Matrix, row: Int, factor: Double = 1.0) {
    val start = matrix.start(row)
    for (i in sums.indices) sums[i] += factor * matrix.data[start + i]
}

/** Return the sums of the columns of some rows, in float64. */
internal fun columnSums(matrix: Matrix, rows: IntArray): DoubleArray {
    val sums = DoubleArray(matrix.columns)
    for (row in rows) addTo(sums, matrix, row)
    return sums
}

/** Return the Euclidean norm of a vector. */
internal fun norm(values: DoubleArray): Double = sqrt(dot(values, values))

/** Return the Euclidean norm of a row of a matrix. */
internal fun norm(matrix: Matrix, row: Int): Double = sqrt(dot(matrix, row, matrix, row))

/** Return the largest element; −∞ if there is none. */
internal fun largest(values: DoubleArray): Double {
    var highest = Double.NEGATIVE_INFINITY
    for (value in values) highest = maxOf(highest, value)
    return highest
}

/** Return the numbers of 0…size − 1 that fulfill a condition. */
internal inline fun indicesOf(size: Int, condition: (Int) -> Boolean): IntArray {
    val result = IntArray(size)
    var count = 0
    for (i in 0 until size) {
        if (condition(i)) {
            result[count] = i
            count += 1
        }
    }
    return result.copyOf(count)
}

/** Return elements sorted by a key; elements with equal keys keep their order. */
internal inline fun sortedBy(elements: IntArray, key: (Int) -> Int): IntArray {
    val keys = LongArray(elements.size) { (key(elements[it]).toLong() shl 32) or it.toLong() }
    keys.sort()
    return IntArray(elements.size) { elements[keys[it].toInt()] }
}

/** Return the values without repetition, from the lowest to the highest. */
internal fun distinct(values: IntArray): IntArray {
    val sorted = values.sortedArray()
    return indicesOf(sorted.size) { it == 0 || sorted[it] != sorted[it - 1] }.map { sorted[it] }
        .toIntArray()
}

/** A part of a list: the numbers [start]…[end] − 1. */
internal class Part(@JvmField val start: Int, @JvmField val end: Int)

/** Split 0…count − 1 into parts whose sizes differ by at most 1, the larger ones first. */
internal fun split(count: Int, parts: Int): List<Part> {
    var end = 0
    return List(parts) { part ->
        val start = end
        end += count / parts + if (part < count % parts) 1 else 0
        Part(start, end)
    }
}
