package org.sartor.data

/**
 * A float32 matrix, row by row.
 *
 * @property data values, row by row.
 * @property columns number of values of a row; 0 only without rows.
 */
internal class Matrix(@JvmField val data: FloatArray, @JvmField val columns: Int) {
    /** Number of rows. */
    @JvmField val rows: Int = if (columns == 0) 0 else data.size / columns

    /** Numbers of the rows. */
    val indices: IntRange get() = 0 until rows

    /** Return the position of the first value of a row in [data]. */
    fun start(row: Int): Int = row * columns

    /** Return a copy of a row. */
    fun row(index: Int): FloatArray = data.copyOfRange(start(index), start(index + 1))

    /** Set a row to the first values of an array. */
    fun setRow(index: Int, values: FloatArray, from: Int = 0) {
        System.arraycopy(values, from, data, start(index), columns)
    }

    /** Return one value. */
    operator fun get(row: Int, column: Int): Float = data[row * columns + column]

    /** Set one value. */
    operator fun set(row: Int, column: Int, value: Float) {
        data[row * columns + column] = value
    }

    /** Return a copy of some of the rows. */
    fun take(rows: IntArray): Matrix {
        val result = Matrix(FloatArray(rows.size * columns), columns)
        rows.forEachIndexed { i, row -> result.setRow(i, data, start(row)) }
        return result
    }

    /** Return a copy of the first rows: of all if there are fewer. */
    fun first(count: Int): Matrix =
        if (count >= rows) this else Matrix(data.copyOf(count * columns), columns)

    /** Return the index of the largest value of a row, the first of several; NaN never is. */
    fun argmax(row: Int): Int {
        val start = start(row)
        var best = 0
        var highest = Float.NEGATIVE_INFINITY
        for (column in 0 until columns) {
            val value = data[start + column]
            if (value > highest) {
                best = column
                highest = value
            }
        }
        return best
    }

    /** Return a matrix of the same shape with other values: of each value, and its position. */
    inline fun map(value: (Float, Int) -> Float): Matrix =
        Matrix(FloatArray(data.size) { value(data[it], it) }, columns)

    companion object {
        /** Return a matrix of a value. Default: 0. */
        fun filled(rows: Int, columns: Int, value: Float = 0f): Matrix {
            val data = FloatArray(rows * columns)
            if (value != 0f) data.fill(value)
            return Matrix(data, columns)
        }

        /** Return matrices of equal numbers of columns as one, below each other; at least one. */
        fun stack(parts: List<Matrix>): Matrix {
            val data = FloatArray(parts.sumOf { it.data.size })
            var at = 0
            for (part in parts) {
                System.arraycopy(part.data, 0, data, at, part.data.size)
                at += part.data.size
            }
            return Matrix(data, parts.first().columns)
        }

        /** Return matrices of equal numbers of rows as one, beside each other; at least one. */
        fun concatenate(parts: List<Matrix>): Matrix {
            val result = filled(parts.first().rows, parts.sumOf { it.columns })
            for (row in result.indices) {
                var at = result.start(row)
                for (part in parts) {
                    System.arraycopy(part.data, part.start(row), result.data, at, part.columns)
                    at += part.columns
                }
            }
            return result
        }
    }
}
