package org.sartor.litert

import org.sartor.InvalidModelError
import org.sartor.NotPersonalizableError
import org.sartor.SartorError
import org.sartor.contract.Contract
import org.sartor.contract.TensorSpecs
import org.sartor.contract.headSignature
import org.sartor.contract.signatures

private val CHANGES_VARIABLES =
    setOf("train", "set_class", "initialize", headSignature("train"), headSignature("set_class"))

/**
 * An engine on a [Runtime]: checked inputs, and a model that is loaded again after LiteRT failed.
 *
 * @param file a file that has passed all checks.
 * @param runtime runtime that loads it.
 * @param threads number of threads of one call. Default: 1.
 * @throws InvalidModelError if the runtime cannot load it.
 * @throws NotPersonalizableError if a signature differs from the manifest.
 */
internal class RuntimeEngine(
    private val file: ModelFile,
    private val runtime: Runtime,
    private val threads: Int = 1,
) : Engine {
    private val signatures = signatures(file.manifest)
    private val buffers = signatures.mapValues { (key, signature) ->
        lazy(LazyThreadSafetyMode.NONE) { TensorBuffers(key, signature) }
    }
    private var model: LoadedModel? = load()
    private var isClosed = false
    private var lastVariables: Variables? = null // null if a call may have changed them since

    @Synchronized
    override fun run(key: String, inputs: Tensors): Map<String, FloatArray> {
        val buffer = buffers.getValue(key).value
        val model = openModel()
        buffer.fill(inputs)
        if (key in CHANGES_VARIABLES) lastVariables = null
        call(model, key, buffer)
        return buffer.results()
    }

    @Synchronized
    override fun variables(): Variables = run("save", RUN_INPUT).also { lastVariables = it }

    @Synchronized
    override fun restore(variables: Variables) {
        run("restore", variables)
        lastVariables = variables.mapValues { it.value.copyOf() }
    }

    @Synchronized
    override fun initialVariables(): Variables {
        val current = variables()
        run("initialize", RUN_INPUT)
        try {
            return variables()
        } finally {
            restore(current)
        }
    }

    override fun copy(): Engine = RuntimeEngine(file, runtime)

    @Synchronized
    override fun close() {
        isClosed = true
        model?.close()
        model = null
    }

    /** Call a signature; after any failure, the next call of LiteRT could end the process. */
    private fun call(model: LoadedModel, key: String, buffer: TensorBuffers) {
        try {
            model.run(key, buffer.inputs, buffer.outputs)
        } catch (error: RuntimeException) {
            this.model = null
            model.close()
            val reason = "${runtime.name} failed in $key: ${error.message}"
            throw SartorError("${file.name}: $reason", error)
        }
    }

    /** Return the model, loaded again if it failed. */
    private fun openModel(): LoadedModel {
        if (isClosed) {
            throw SartorError("the model is closed: open it again with PersonalModel.open")
        }
        model?.let { return it }
        val variables = lastVariables ?: throw SartorError(
            "${file.name}: ${runtime.name} has failed before: close the model and open it again; " +
                "the samples are stored",
        )
        return replace(variables)
    }

    /** Load the model again, with the values of its variables. */
    private fun replace(variables: Variables): LoadedModel {
        val fresh = load()
        val restore = buffers.getValue("restore").value
        restore.fill(variables)
        call(fresh, "restore", restore)
        model = fresh
        return fresh
    }

    private fun load(): LoadedModel {
        val model = try {
            runtime.load(file.content, threads)
        } catch (error: RuntimeException) {
            val reason = "${runtime.name} cannot load it: ${error.message}"
            throw InvalidModelError("${file.name}: $reason", error)
        }
        try {
            checkSignatures(model)
        } catch (error: RuntimeException) {
            model.close()
            throw error
        }
        return model
    }

    private fun checkSignatures(model: LoadedModel) {
        val keys = model.signatures
        for ((key, signature) in signatures) {
            if (key !in keys) throw NotPersonalizableError("${file.name} has no signature '$key'.")
            checkSpecs(key, "inputs", signature.inputs, model.inputs(key))
            checkSpecs(key, "outputs", signature.outputs, model.outputs(key))
        }
    }

    private fun checkSpecs(key: String, side: String, expected: TensorSpecs, actual: TensorSpecs) {
        if (actual == expected) return
        throw NotPersonalizableError(
            "${file.name}: the $side of '$key' are ${format(actual)}, but its manifest states " +
                "${format(expected)}. Convert the base again.",
        )
    }

    private fun format(specs: TensorSpecs): String =
        specs.entries.map { (name, spec) -> "$name $spec" }.sorted().joinToString()

    private companion object {
        val RUN_INPUT: Tensors = mapOf(Contract.RUN to floatArrayOf(1f))
    }
}
