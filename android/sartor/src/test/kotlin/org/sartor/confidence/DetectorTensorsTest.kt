package org.sartor.confidence

import java.util.Random
import kotlin.math.sqrt
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.sartor.CheckpointError
import org.sartor.contract.Contract
import org.sartor.contract.FloatTensor
import org.sartor.contract.FloatTensors
import org.sartor.data.Matrix
import org.sartor.dot
import org.sartor.errorOf

private const val SIZE = 12
private const val COUNT = 30

/** The tensors of an OOD detector in a checkpoint, and the metric that they describe. */
internal class DetectorTensorsTest {
    private val random = Random(4)
    private val classes = IntArray(COUNT) { it % 3 }
    private val features = Matrix.filled(COUNT, SIZE).map { _, at ->
        val isOfClass = at % SIZE == classes[at / SIZE]
        (random.nextGaussian() + if (isOfClass) 3 else 0).toFloat()
    }
    private val detector = OODDetector.fit(
        listOf(features),
        classes,
        IntArray(COUNT) { it / 3 % 3 },
        Matrix.filled(COUNT, 3, 1f / 3),
    )!!
    private val tensors = detector.toTensors()

    private fun read(tensors: FloatTensors) =
        OODDetector.fromTensors(tensors, detector.threshold, SIZE, 3)

    private fun scores(detector: OODDetector) = DoubleArray(COUNT) {
        detector.score(listOf(features.take(intArrayOf(it))), floatArrayOf(0.7f, 0.2f, 0.1f))
    }

    @Test
    fun aDetectorSurvivesACheckpoint() {
        assertEquals(listOf(18, SIZE), tensors.getValue(Contract.OOD_DIRECTIONS).shape)
        val loaded = read(tensors)
        assertArrayEquals(scores(detector), scores(loaded), 1e-6)
        val added = features.take(intArrayOf(0))
        assertArrayEquals(
            scores(detector.withClass(1, listOf(added), 4)),
            scores(loaded.withClass(1, listOf(added), 4)),
            1e-6,
        )
    }

    @Test
    fun aCheckpointWithoutDirectionsHasThePlainMetric() {
        val loaded = read(tensors - Contract.OOD_DIRECTIONS)
        assertEquals(tensors.keys - Contract.OOD_DIRECTIONS, loaded.toTensors().keys)
        val unit = unitFeatures(listOf(features))
        val entropy = read(tensors).entropyWeight * 0.8018185525433372 // of 0.7, 0.2 and 0.1
        val expected = DoubleArray(COUNT) {
            largestProduct(unit, it, detector.prototypes.rows) - entropy
        }
        assertArrayEquals(expected, scores(loaded), 1e-6)
    }

    @Test
    fun damagedDirectionsAreRefused() {
        val directions = tensors.getValue(Contract.OOD_DIRECTIONS).data
        val long = directions.copyOf().also { it[SIZE] = 1.1f }
        for ((problem, damaged) in listOf(
            "[12, 18]" to FloatTensor(listOf(SIZE, 18), directions),
            "[216]" to FloatTensor(listOf(216), directions),
            "[]" to FloatTensor(emptyList(), floatArrayOf(0f)),
            "[0, 12]" to FloatTensor(listOf(0, SIZE), FloatArray(0)),
            "[65, 12]" to FloatTensor(listOf(65, SIZE), FloatArray(65 * SIZE)),
            "rows longer than 1" to FloatTensor(listOf(18, SIZE), long),
        )) {
            val error = errorOf<CheckpointError> {
                read(tensors + (Contract.OOD_DIRECTIONS to damaged))
            }
            for (text in listOf(Contract.OOD_DIRECTIONS, problem, "the checkpoint is damaged")) {
                assertTrue(error.message!!, text in error.message!!)
            }
        }
    }

    /** The metric is the inverse of `I + Rᵀ R / λ`. */
    @Test
    fun aDirectionInWhichAClassDiffersGetsShorter() {
        val (near, far) = floatArrayOf(0.8f, 0.6f, 0f) to floatArrayOf(0.8f, -0.6f, 0f)
        val metric = WithinClassMetric.fit(Matrix(near + far, 3), IntArray(2))
        // Two residuals of square 0.36 along an axis: λ = 0.3 · 0.36, Rᵀ R is 2 · 0.36 there.
        val axes = Matrix(floatArrayOf(1f, 0f, 0f, 0f, 1f, 0f, 0f, 0f, 1f), 3)
        val norms = DoubleArray(3) { metric.norm(axes, it) }
        assertArrayEquals(doubleArrayOf(1.0, sqrt(0.3 / 2.3), 1.0), norms, 1e-6)
    }

    @Test
    fun aFactorTimesItsTransposeIsTheMatrix() {
        val rows = Array(9) { DoubleArray(9) { random.nextGaussian() } }
        val product = Array(9) { i -> DoubleArray(i + 1) { dot(rows[i], rows[it]) } }
        val lower = Array(9) { product[it].copyOf() }
        factorize(lower)
        for ((i, row) in product.withIndex()) {
            val actual = DoubleArray(i + 1) { dot(lower[i].copyOf(9), lower[it].copyOf(9)) }
            assertArrayEquals(row, actual, 1e-12)
        }
        val whitened = Array(9) { rows[it].copyOf() } // L⁻¹ B is orthogonal if L Lᵀ = B Bᵀ
        solve(lower, whitened)
        for (i in 0 until 9) {
            for (j in 0 until 9) {
                assertEquals(if (i == j) 1.0 else 0.0, dot(whitened[i], whitened[j]), 1e-9)
            }
        }
    }
}
