/** The part of LiteRT that Sartor needs, so that another version of LiteRT can be put in. */

package org.sartor.litert

import java.nio.ByteBuffer
import org.sartor.contract.TensorSpec

/** A runtime of `.tflite` models, such as [TfliteRuntime]. */
public interface Runtime {
    /** Name for messages. */
    public val name: String

    /**
     * Load a model.
     *
     * @param content bytes of a `.tflite` file in a direct buffer of native order, which stays
     *   unchanged while the model is open.
     * @param threads number of threads of one call, at least 1.
     * @throws RuntimeException if it cannot be loaded.
     */
    public fun load(content: ByteBuffer, threads: Int): LoadedModel
}

/** A model in a [Runtime], with the values of its variables. Its methods run one at a time. */
public interface LoadedModel : AutoCloseable {
    /** Names of the signatures. */
    public val signatures: Set<String>

    /** Return name → shape and type of each input of a signature. */
    public fun inputs(signature: String): Map<String, TensorSpec>

    /** Return name → shape and type of each output of a signature. */
    public fun outputs(signature: String): Map<String, TensorSpec>

    /**
     * Call a signature.
     *
     * @param signature name of the signature.
     * @param inputs name → direct buffer of exactly the size of each input, native order, position
     *   0.
     * @param outputs name → direct buffer of exactly the size of each output, which is filled.
     * @throws RuntimeException if the runtime fails; the model is closed then, and not called
     *   again.
     */
    public fun run(
        signature: String,
        inputs: Map<String, ByteBuffer>,
        outputs: Map<String, ByteBuffer>,
    )

    /** Release the memory. */
    override fun close()
}
