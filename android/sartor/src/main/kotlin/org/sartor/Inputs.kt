package org.sartor

import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.Matrix
import org.sartor.data.taskOf
import org.sartor.data.volume
import org.sartor.images.LoadedSample
import org.sartor.images.identityOfName
import org.sartor.results.Inference
import org.sartor.store.SampleOfStore
import org.sartor.store.SampleSet
import org.sartor.store.readRows

/** Features and targets of a sample, for an evaluation. */
internal class LabelledFeatures(val features: List<Matrix>, val targets: Map<String, Double>)

/** Return the features and the targets of stored samples, without augmentations. */
internal fun storedSamples(rows: SampleSet): Sequence<LabelledFeatures> {
    val firsts =
        indicesOf(rows.samples.size) { it == 0 || rows.samples[it] != rows.samples[it - 1] }
    return firsts.asSequence().map { row ->
        val targets = LinkedHashMap<String, Double>()
        rows.classes.forEachIndexed { column, name ->
            val target = rows.targets[row, column]
            if (!target.isNaN()) targets[name] = target.toDouble()
        }
        LabelledFeatures(readRows(rows.features, intArrayOf(row)), targets)
    }
}

/**
 * Decodes inputs and runs the model on them, while the model is not locked.
 *
 * @param manifest manifest of the model.
 * @param options options of the model.
 * @param state runs the model.
 * @param samples receives samples.
 * @param lock held while samples are read or changed.
 */
internal class Inputs(
    private val manifest: Manifest,
    private val options: ModelOptions,
    private val state: ModelState,
    private val samples: SampleCollection,
    private val lock: ReentrantLock,
) {
    /** Add a sample; see [PersonalModel.addSample]. */
    fun add(input: Input, label: Label, options: SampleOptions): Long {
        val targets = targetsOf(label)
        samples.checkCapacity(targets.keys)
        val sample = load(input)
        val identity = identityOf(sample, options.source)
        lock.withLock { samples.findSame(identity, targets) }?.let { return it.id }
        val features = featuresOf(sample, options)
        val images = imagesOf(sample, options.thumbnail ?: this.options.thumbnails)
        return lock.withLock {
            samples.followChanges()
            samples.findSame(identity, targets)?.id
                ?: samples.add(SampleOfStore(features, targets, identity, options.heldOut, images))
        }
    }

    /** Return the stored sample of an input or of a source, or null. */
    fun find(input: Input, source: String?): StoredSample? {
        val identity = identityOf(load(input), source)
        return lock.withLock { samples.store.find(identity) }
    }

    /** Run the model on an input. */
    fun infer(input: Input): Inference = state.infer(load(input).tensors())

    /** Return the features and the targets of an input and its label. */
    fun embed(input: Input, label: Label): LabelledFeatures =
        LabelledFeatures(state.features(load(input).tensors()), targetsOf(label))

    private fun load(input: Input): LoadedSample {
        noteSlowCall()
        return LoadedSample(manifest.inputs, input)
    }

    private fun targetsOf(label: Label): Map<String, Double> =
        taskOf(manifest).targets(label, state.classIndices.keys)

    /** Return the features of a sample and of its augmentations. */
    private fun featuresOf(sample: LoadedSample, options: SampleOptions): List<Matrix> {
        val own = options.features?.let(::matricesOf) ?: state.features(sample.tensors())
        val rows = listOf(own) + sample.augmentations(options.augment).map(state::features)
        return manifest.features.indices.map { i -> Matrix.stack(rows.map { it[i] }) }
    }

    private fun matricesOf(features: List<FloatArray>): List<Matrix> {
        val sizes = manifest.features.map { volume(it.shape) }
        if (features.map { it.size } != sizes) {
            throw DataError(
                "the features of a sample have $sizes values; got ${features.map { it.size }}. " +
                    "Give those of predict, or none",
            )
        }
        return features.map { Matrix(it, it.size) }
    }

    private fun imagesOf(sample: LoadedSample, hasThumbnail: Boolean): Map<String, ByteArray> {
        val images = LinkedHashMap<String, ByteArray>()
        if (hasThumbnail) sample.thumbnail()?.let { images[Contract.STORE_THUMBNAIL] = it }
        if (options.photos) images[Contract.STORE_PHOTO] = sample.photo()
        return images
    }

    private fun identityOf(sample: LoadedSample, source: String?): ByteArray =
        if (source == null) sample.identity else identityOfName(source)
}
