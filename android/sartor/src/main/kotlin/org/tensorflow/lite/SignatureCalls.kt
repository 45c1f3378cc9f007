package org.tensorflow.lite

import java.nio.ByteBuffer

/**
 * Calls one signature of an interpreter, without the memory leak of [Interpreter.runSignature].
 *
 * `runSignature` of version 2.16.1 creates a native handle for each tensor of each call and never
 * deletes it: about 850 bytes a call of `train`, which the end of the interpreter does not free.
 * This class keeps one handle for each tensor. It is in this package because the parts of
 * `runSignature` are package-private; another version may lack them and throw a [LinkageError].
 *
 * @param interpreter interpreter of the model.
 * @param key name of the signature.
 */
internal class SignatureCalls(interpreter: Interpreter, key: String) : AutoCloseable {
    private val runner = NativeSignatureRunnerWrapper(
        interpreter.wrapper.interpreterHandle,
        interpreter.wrapper.errorHandle,
        key,
    )
    private val inputs = runner.inputNames().associateWith(runner::getInputTensor)
    private val outputs: Map<String, TensorImpl>

    init {
        runner.allocateTensorsIfNeeded()
        outputs = runner.outputNames().associateWith(runner::getOutputTensor)
    }

    /**
     * Call the signature.
     *
     * @param values name → direct buffer of exactly the size of each input.
     * @param results name → direct buffer for each output.
     */
    fun run(values: Map<String, ByteBuffer>, results: Map<String, ByteBuffer>) {
        for ((name, buffer) in values) inputs.getValue(name).setTo(buffer)
        runner.invoke()
        for ((name, buffer) in results) outputs.getValue(name).copyTo(buffer)
    }

    /** Delete the handles. */
    override fun close() {
        inputs.values.forEach(TensorImpl::close)
        outputs.values.forEach(TensorImpl::close)
    }
}
