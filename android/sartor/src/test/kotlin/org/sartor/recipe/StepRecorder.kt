package org.sartor.recipe

import org.sartor.indicesOf
import org.sartor.litert.Engine
import org.sartor.litert.Tensors
import org.sartor.litert.Variables

/** An engine that records the rows and the learning rate of each step; the feature is the row. */
internal class StepRecorder(private val size: Int) : Engine {
    /** Rows of each step. */
    val rows = ArrayList<List<Int>>()

    /** Learning rate of each step. */
    val rates = ArrayList<Float>()

    override fun run(key: String, inputs: Tensors): Map<String, FloatArray> {
        val weights = inputs.getValue("sample_weights") as FloatArray
        val features = inputs.getValue("features") as FloatArray
        rows.add(indicesOf(size) { weights[it] > 0 }.map { features[it].toInt() })
        rates.add((inputs.getValue("learning_rate") as FloatArray)[0])
        return mapOf("loss" to FloatArray(1), "output" to FloatArray(size))
    }

    override fun variables(): Variables = emptyMap()

    override fun restore(variables: Variables) = error("not called")

    override fun initialVariables(): Variables = error("not called")

    override fun copy(): Engine = error("not called")

    override fun close() = Unit
}
