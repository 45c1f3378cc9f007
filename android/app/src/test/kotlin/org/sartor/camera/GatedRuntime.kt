package org.sartor.camera

import org.sartor.litert.LoadedModel
import org.sartor.litert.Runtime
import org.sartor.litert.TfliteRuntime
import java.nio.ByteBuffer
import java.util.concurrent.Semaphore
import java.util.concurrent.atomic.AtomicInteger

/** The genuine runtime, whose training steps wait for a test, and which can fail. */
class GatedRuntime : Runtime {
    private val tflite = TfliteRuntime()
    private val permits = Semaphore(0)
    private val calls = AtomicInteger()
    private val added = AtomicInteger()

    @Volatile
    private var beforeAdd: Pair<Int, () -> Unit> = 0 to {}

    /** Number of training steps that have begun. */
    val steps get() = calls.get()

    override val name get() = tflite.name

    /** Called before a model is loaded. */
    @Volatile
    var beforeLoad: () -> Unit = {}

    override fun load(content: ByteBuffer, threads: Int): LoadedModel {
        beforeLoad()
        return Gated(tflite.load(content, threads))
    }

    /** Let training steps pass. */
    fun open(steps: Int = Int.MAX_VALUE / 2) = permits.release(steps)

    /** Let no more steps pass. */
    fun close() {
        permits.drainPermits()
    }

    /** Run something before a sample is computed, the first one being number 1. */
    fun onAdd(number: Int, action: () -> Unit) {
        added.set(0)
        beforeAdd = number to action
    }

    private inner class Gated(private val model: LoadedModel) : LoadedModel by model {
        override fun run(signature: String, inputs: Map<String, ByteBuffer>, outputs: Map<String, ByteBuffer>) {
            if (signature == "train") {
                calls.incrementAndGet()
                permits.acquire()
            }
            val (number, action) = beforeAdd
            if (signature == "infer" && added.incrementAndGet() == number) {
                action()
            }
            model.run(signature, inputs, outputs)
        }
    }
}
