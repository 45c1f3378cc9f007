package org.sartor.litert

import java.nio.ByteBuffer
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.sartor.DataError
import org.sartor.InvalidModelError
import org.sartor.SartorError
import org.sartor.errorOf
import org.sartor.smallModel

/** The engine on Android's LiteRT: checked calls, and a new interpreter after a failure. */
internal class RuntimeEngineTest {
    private val file = checkModelFile(mapFile(smallModel()), "small.tflite")
    private val runtime = FailingRuntime()
    private val engine = RuntimeEngine(file, runtime)
    private val input: Tensors = mapOf("input" to floatArrayOf(1f, 2f, 3f, 4f))

    @Test
    fun refusesTensorsThatDoNotFitBeforeLiteRtGetsThem() {
        val wrong = mapOf(
            "infer takes input; got nothing" to emptyMap(),
            "infer takes input; got input, other" to input + ("other" to FloatArray(1)),
            "got float[], 3 values" to mapOf("input" to FloatArray(3)),
            "got int[], 4 values" to mapOf("input" to IntArray(4)),
        )
        for ((words, tensors) in wrong) {
            val error = errorOf<DataError> { engine.run("infer", tensors) }
            assertTrue(error.message!!, words in error.message!!)
        }
        assertEquals(0, runtime.calls)
    }

    @Test
    fun restoresVariablesToTheBit() {
        val initial = engine.variables()
        val changed = initial.mapValues { (_, values) -> FloatArray(values.size) { it * 0.1f } }
        engine.restore(changed)
        assertSame(changed, engine.variables())
        assertSame(initial, engine.initialVariables())
        assertSame(changed, engine.variables())
        engine.copy().use { assertSame(initial, it.variables()) }
    }

    @Test
    fun continuesAfterAFailureWithTheSameVariables() {
        val changed =
            engine.variables().mapValues { (_, values) -> FloatArray(values.size) { 0.5f } }
        engine.restore(changed)
        runtime.failures = 1
        val error = errorOf<SartorError> { engine.run("infer", input) }
        assertTrue(error.message!!, "LiteRT failed in infer: out of order" in error.message!!)
        engine.run("infer", input)
        assertEquals(2, runtime.loads)
        assertSame(changed, engine.variables())
    }

    @Test
    fun refusesCallsAfterAFailureThatLostTheVariables() {
        val train = mapOf(
            "features" to FloatArray(16 * 12), "labels" to FloatArray(16 * 4),
            "sample_weights" to FloatArray(16), "learning_rate" to floatArrayOf(1f),
        )
        engine.run("train", train)
        runtime.failures = 1
        errorOf<SartorError> { engine.run("evaluate", train - "learning_rate") }
        val error = errorOf<SartorError> { engine.run("infer", input) }
        assertTrue(error.message!!, "open it again" in error.message!!)
    }

    @Test
    fun refusesCallsAfterItIsClosed() {
        engine.close()
        engine.close()
        val error = errorOf<SartorError> { engine.run("infer", input) }
        assertTrue(error.message!!, "PersonalModel.open" in error.message!!)
    }

    @Test
    fun refusesAModelThatLiteRtCannotLoad() {
        runtime.refusal = "not today"
        val error = errorOf<InvalidModelError> { RuntimeEngine(file, runtime) }
        assertTrue(error.message!!, "LiteRT cannot load it: not today" in error.message!!)
    }

    private fun assertSame(expected: Variables, actual: Variables) {
        assertEquals(expected.keys, actual.keys)
        for ((name, values) in expected) assertArrayEquals(name, values, actual[name], 0f)
    }
}

/** Android's LiteRT, which fails on demand. */
private class FailingRuntime : Runtime {
    private val litert = TfliteRuntime()
    override val name: String get() = litert.name
    var failures = 0
    var loads = 0
    var calls = 0
    var refusal: String? = null

    override fun load(content: ByteBuffer, threads: Int): LoadedModel {
        refusal?.let { throw IllegalArgumentException(it) }
        loads += 1
        val model = litert.load(content, threads)
        return object : LoadedModel by model {
            override fun run(
                signature: String,
                inputs: Map<String, ByteBuffer>,
                outputs: Map<String, ByteBuffer>,
            ) {
                calls += 1
                if (failures > 0) {
                    failures -= 1
                    throw IllegalStateException("out of order")
                }
                model.run(signature, inputs, outputs)
            }
        }
    }
}
