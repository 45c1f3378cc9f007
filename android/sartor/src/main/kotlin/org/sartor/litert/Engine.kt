package org.sartor.litert

/**
 * Name → tensor of a signature, row by row: a `FloatArray`, an `IntArray`, or a `ByteArray` of
 * uint8.
 */
internal typealias Tensors = Map<String, Any>

/** Name → value of each variable. */
internal typealias Variables = Map<String, FloatArray>

/**
 * One copy of a personalizable file, with its own variables.
 *
 * Every method may be called from any thread; each locks the engine, so that `synchronized(engine)`
 * keeps other threads out between several calls. All arrays that it returns are copies.
 */
internal interface Engine : AutoCloseable {
    /**
     * Call a signature.
     *
     * @param key name of the signature.
     * @param inputs name → tensor, with the sizes and types of the contract.
     * @return name → tensor of each output; all are float32.
     * @throws org.sartor.DataError if an input is missing, unknown, or has another size or type.
     * @throws org.sartor.SartorError if the engine is closed, or LiteRT fails.
     */
    fun run(key: String, inputs: Tensors): Map<String, FloatArray>

    /** Return the value of each variable. */
    fun variables(): Variables

    /** Set every variable; throws DataError if one is missing or does not fit. */
    fun restore(variables: Variables)

    /** Return the initial value of each variable; the current values do not change. */
    fun initialVariables(): Variables

    /** Return another engine on the same file, with the initial values of the variables. */
    fun copy(): Engine

    /** Release the memory. Later calls throw SartorError. May be called again. */
    override fun close()
}
