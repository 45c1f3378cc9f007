package org.sartor

import org.sartor.confidence.OODDetector
import org.sartor.contract.Contract
import org.sartor.contract.FloatTensor
import org.sartor.contract.FloatTensors
import org.sartor.contract.Manifest
import org.sartor.contract.ofHead
import org.sartor.data.Matrix
import org.sartor.litert.Engine
import org.sartor.litert.Tensors
import org.sartor.litert.Variables
import org.sartor.litert.headEngine
import org.sartor.litert.headFeatures
import org.sartor.results.Inference
import org.sartor.results.featuresOf
import org.sartor.results.headFeaturesOf
import org.sartor.saved.Checkpoint
import org.sartor.saved.adapt
import org.sartor.saved.detectorOf
import org.sartor.training.ModelSnapshot
import org.sartor.store.rowsOf

/**
 * The weights, the class names and the out-of-distribution detector of a model.
 *
 * A checkpoint holds this state. Every method may be called from any thread, and sees the state
 * before or after another one, never a part of a change.
 *
 * @param engineWithoutChanges engine that predicts.
 * @param manifest manifest of the file.
 */
internal class ModelState(
    private val engineWithoutChanges: Engine,
    private val manifest: Manifest,
) : AutoCloseable {
    private val headManifest = manifest.ofHead()
    private val head = headEngine(engineWithoutChanges, manifest)
    private val weights = ClassWeights(head, headManifest)
    private val model = WritableModel(head, headManifest, weights)
    private var classes = ClassNames(manifest.classes, manifest.classKeys)
    private var new = NewClasses(headManifest.features)
    private var detector: OODDetector? = null
    private var before: Variables = emptyMap() // the present training
    private var app: FloatTensors = emptyMap()

    /** Number of samples added until now, including earlier sessions. */
    @Volatile
    var samplesSeen: Int = 0

    init {
        new.include(untrained())
    }

    /** The engine that predicts, with the weights that follow from all samples. */
    val engine: Engine
        get() = locked {
            imprintChanged()
            engineWithoutChanges
        }

    /** Class name → class index, in the order of the indices. */
    val classIndices: Map<String, Int> get() = locked { classes.indices }

    /** Class name → key, of the classes that have a key. */
    val classKeys: Map<String, String> get() = locked { classes.keysByName }

    /** Number of free class indices. */
    val freeClasses: Int get() = locked { classes.free }

    /** Names of the classes that no training has changed. */
    val newClasses: List<String> get() = locked { new.means.keys.toList() }

    /** Return the features of one sample: one row of each features tensor. */
    fun features(inputs: Tensors): List<Matrix> =
        featuresOf(engineWithoutChanges.run("infer", inputs), manifest)

    /**
     * Run the model on one input.
     *
     * @throws DataError if an output is not finite.
     */
    fun infer(inputs: Tensors): Inference {
        val (result, indices, detector) = locked {
            Triple(engine.run("infer", inputs), classes.indices, detector)
        }
        val output = result.getValue(Contract.OUTPUT)
        if (!output.all(Float::isFinite)) {
            throw DataError(
                "the output has values that are not finite: the model cannot process this input. " +
                    "Use another input, or check the model with `sartor verify`",
            )
        }
        val isInDistribution = detector?.isInDistribution(headFeaturesOf(result, manifest), output)
        val outputs = indices.mapValues { output[it.value] }
        return Inference(featuresOf(result, manifest), outputs, isInDistribution)
    }

    /** Return whether no training has changed the weights of a class. */
    fun isNew(label: String): Boolean = locked { new.has(label) || label !in classes.indices }

    /** Return whether the weights of a class do not follow from any samples yet. */
    fun needsSamples(label: String): Boolean = locked { isNew(label) && !new.hasSamples(label) }

    /**
     * Imprint a class from one more sample, unless it is trained; a new class gets an index.
     *
     * @param features rows of each features tensor; null if they do not show the class.
     */
    fun addSample(label: String, features: List<Matrix>?): Unit = locked {
        addClass(label)
        if (features != null && new.has(label)) new.addSamples(label, behindLayers(features))
    }

    /**
     * Imprint the classes that are not trained from all their samples.
     *
     * @param samples class name → features of its samples; there may be none.
     */
    fun imprint(samples: Map<String, List<Matrix>>): Unit = locked {
        for ((label, features) in samples) {
            addClass(label)
            if (new.has(label) && rowsOf(features) > 0) {
                new.setSamples(label, behindLayers(features))
            }
        }
    }

    /** Clear a class, so that its index is free. */
    fun remove(label: String): Unit = locked { clear(classes.remove(label), label) }

    /** Rename a class. */
    fun rename(old: String, name: String): Unit = locked {
        classes.rename(old, name)
        new.rename(mapOf(old to name))
    }

    /**
     * Rename and remove the classes that were renamed and removed in a store.
     *
     * @param stored class key → name, or null for a removed class.
     */
    fun follow(stored: Map<String, String?>): Unit = locked {
        val former = classes.names
        classes = classes.following(stored)
        val renamed = HashMap<String, String>()
        former.forEachIndexed { index, old ->
            val name = classes.names[index]
            if (old != null && name == null) clear(index, old)
            if (old != null && name != null) renamed[old] = name
        }
        new.rename(renamed)
    }

    /** Return the model at the start of a training; classes that are added later are new. */
    fun beginTraining(): ModelSnapshot = locked {
        val variables = engine.variables()
        before = variables
        new.beginTraining()
        ModelSnapshot(classes.indices, variables, detector, untrained().toSet())
    }

    /** Replace all weights at once, and imprint the new classes again beside them. */
    fun publish(variables: Variables, detector: OODDetector?): Unit = locked {
        engineWithoutChanges.restore(variables)
        this.detector = detector
        new.endTraining(hasFailed = variables === before)
        new.include(untrained())
    }

    /**
     * Remove all that was computed from single samples.
     *
     * @param remaining name of a new class → features of its remaining samples.
     */
    fun forgetSamples(remaining: Map<String, List<Matrix>>): Unit = locked {
        detector = null
        for ((label, features) in remaining) new.setSamples(label, behindLayers(features))
    }

    /** Treat the imprinted classes whose samples are not here as trained. */
    fun keepLoadedWeights(): Unit = locked {
        val zero = untrained()
        new.exclude(newClasses.filter { !new.hasSamples(it) && it !in zero })
    }

    /** Return the present state as a checkpoint. */
    fun checkpoint(): Checkpoint = locked {
        val variables = engine.variables()
        Checkpoint(
            classes = classes.names.toList(),
            classKeys = classes.completeKeys(),
            fingerprints = manifest.fingerprints,
            variables = manifest.variables.associate {
                it.name to FloatTensor(it.shape, variables.getValue(it.name))
            },
            imprinted = newClasses.filter(new::hasSamples),
            samplesSeen = samplesSeen,
            oodThreshold = detector?.threshold,
            ood = detector?.toTensors().orEmpty(),
            app = app,
        )
    }

    /**
     * Replace the state by a checkpoint.
     *
     * @param checkpoint checkpoint to load.
     * @param name name of the checkpoint in messages.
     * @return messages about parts that do not fit the model and were not loaded.
     * @throws CheckpointError if it belongs to another model; nothing is changed.
     */
    fun load(checkpoint: Checkpoint, name: String): List<String> = locked {
        val initial = engineWithoutChanges.initialVariables()
        val adapted = adapt(checkpoint, manifest, initial, name)
        val loaded = detectorOf(checkpoint, headManifest)
        engineWithoutChanges.restore(adapted.variables)
        classes = ClassNames(adapted.classes, adapted.classKeys)
        new = NewClasses(headManifest.features)
        new.include(checkpoint.imprinted.filter { it in classes.indices })
        new.include(untrained())
        detector = loaded
        samplesSeen = checkpoint.samplesSeen
        app = checkpoint.app
        adapted.notes
    }

    /** Release the memory. */
    override fun close() {
        engineWithoutChanges.close()
    }

    /** Give a class index to a class that has none. */
    private fun addClass(label: String) {
        if (label in classes.indices) return
        if (classes.free == 0) throw DataError("the model has no free class for '$label'")
        classes.add(label)
        new.addClass(label)
    }

    /** Return the names of the classes whose weights are zero. */
    private fun untrained(): List<String> {
        val zero = weights.areZero()
        return classes.indices.filterValues { zero[it] }.keys.toList()
    }

    /** Imprint the classes that have got samples since the last call. */
    private fun imprintChanged() {
        if (new.changed.isEmpty()) return
        detector = imprintChanged(model, classes.indices, new, detector)
    }

    /** Clear the weights of a class that was removed. */
    private fun clear(index: Int, label: String) {
        weights.clear(index)
        new.exclude(listOf(label))
        detector = detector?.withoutClass(index)
    }

    private fun behindLayers(features: List<Matrix>): List<Matrix> =
        headFeatures(engineWithoutChanges, manifest, features)

    private inline fun <T> locked(block: () -> T): T = synchronized(engineWithoutChanges, block)
}
