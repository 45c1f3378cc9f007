package org.sartor.camera

import org.sartor.litert.LoadedModel
import org.sartor.litert.Runtime
import org.sartor.litert.TfliteRuntime
import java.nio.ByteBuffer
import java.util.concurrent.Semaphore
import java.util.concurrent.atomic.AtomicInteger

/** The genuine runtime, whose training steps wait for a test. */
class GatedRuntime : Runtime {
    private val tflite = TfliteRuntime()
    private val permits = Semaphore(0)
    private val calls = AtomicInteger()

    /** Number of training steps that have begun. */
    val steps get() = calls.get()

    override val name get() = tflite.name

    override fun load(content: ByteBuffer, threads: Int): LoadedModel = Gated(tflite.load(content, threads))

    /** Let training steps pass. */
    fun open(steps: Int = Int.MAX_VALUE / 2) = permits.release(steps)

    /** Let no more steps pass. */
    fun close() {
        permits.drainPermits()
    }

    private inner class Gated(private val model: LoadedModel) : LoadedModel by model {
        override fun run(signature: String, inputs: Map<String, ByteBuffer>, outputs: Map<String, ByteBuffer>) {
            if (signature == "train") {
                calls.incrementAndGet()
                permits.acquire()
            }
            model.run(signature, inputs, outputs)
        }
    }
}
