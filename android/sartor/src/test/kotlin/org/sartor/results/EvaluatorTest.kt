package org.sartor.results

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Test
import org.sartor.DataError
import org.sartor.data.CLASSIFICATION
import org.sartor.data.MULTI_LABEL
import org.sartor.data.Matrix
import org.sartor.data.REGRESSION
import org.sartor.litert.Engine
import org.sartor.litert.Tensors
import org.sartor.litert.Variables
import org.sartor.recipe.manifestOf

/** Metrics of a model whose output is its features, and whose loss is the number of its rows. */
internal class EvaluatorTest {
    private class Echo : Engine {
        override fun run(key: String, inputs: Tensors): Map<String, FloatArray> {
            val weights = inputs.getValue("sample_weights") as FloatArray
            val rows = weights.count { it > 0 }.toFloat()
            return mapOf(
                "loss" to floatArrayOf(rows),
                "output" to (inputs.getValue("features") as FloatArray).copyOf(),
            )
        }

        override fun variables(): Variables = error("not called")

        override fun restore(variables: Variables) = error("not called")

        override fun initialVariables(): Variables = error("not called")

        override fun copy(): Engine = error("not called")

        override fun close() = Unit
    }

    /** An evaluator of two of three classes; the second class has index 0. */
    private fun evaluator(task: String): Evaluator {
        val manifest = manifestOf(task, 3)
        val features = manifest.features.map { it.copy(shape = listOf(3)) }
        return Evaluator(
            Echo(),
            manifest.copy(features = features, batchSize = 2),
            linkedMapOf("b" to 0, "a" to 2),
        )
    }

    private fun Evaluator.add(output: FloatArray, vararg targets: Pair<String, Double>) =
        add(listOf(Matrix(output, 3)), mapOf(*targets))

    @Test
    fun ofAClassification() {
        val evaluator = evaluator(CLASSIFICATION)
        evaluator.add(floatArrayOf(0.75f, 0f, 0.25f), "b" to 1.0)
        evaluator.add(floatArrayOf(0.5f, 0f, 0.5f), "a" to 1.0)
        evaluator.add(floatArrayOf(0.125f, 0f, 0.875f), "a" to 1.0)
        val result = evaluator.result()
        assertEquals(listOf("b", "a"), result.labels)
        assertEquals(2.0 / 3, result.accuracy!!, 1e-12)
        assertEquals(listOf(listOf(1, 0), listOf(1, 1)), result.confusion)
        assertEquals(mapOf("b" to 1.0, "a" to 0.5), result.perClass)
        assertEquals(mapOf("b" to 1, "a" to 2), result.support)
        assertEquals(3, result.samples)
        assertEquals("two rows of loss 2, one of loss 1", 5.0 / 3, result.loss, 1e-12)
        assertEquals((0.75 - 1 + 0.5 + 0.875 - 1) / 3, result.calibrationError!!, 1e-12)
    }

    @Test
    fun ofSeveralLabels() {
        val evaluator = evaluator(MULTI_LABEL)
        evaluator.add(floatArrayOf(0.75f, 0f, 0.25f), "b" to 1.0, "a" to 1.0)
        evaluator.add(floatArrayOf(0.25f, 0f, 0.25f), "b" to 0.0)
        val result = evaluator.result()
        assertEquals("the missing target does not count", 2.0 / 3, result.accuracy!!, 1e-12)
        assertEquals(mapOf("b" to 1.0, "a" to 0.0), result.perClass)
        assertEquals(mapOf("b" to 1, "a" to 1), result.support)
        assertNull(result.calibrationError)
    }

    @Test
    fun ofARegression() {
        val evaluator = evaluator(REGRESSION)
        evaluator.add(floatArrayOf(1f, 0f, 5f), "b" to 2.0)
        evaluator.add(floatArrayOf(4f, 0f, 5f), "b" to 1.0)
        val result = evaluator.result()
        assertNull(result.accuracy)
        assertEquals(mapOf("b" to 2.0, "a" to null), result.absoluteError)
        assertEquals(mapOf("b" to 2, "a" to 0), result.support)
    }

    @Test
    fun ofNoSamples() {
        val error = assertThrows(DataError::class.java) { evaluator(CLASSIFICATION).result() }
        assertEquals("there are no samples to evaluate on: give at least one", error.message)
    }
}
