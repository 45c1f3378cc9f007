package org.sartor

import java.io.File
import org.sartor.litert.Runtime
import org.sartor.litert.TfliteRuntime

private const val MOST_THREADS = 64

/**
 * Options of [PersonalModel.open].
 *
 * In Java, use [Builder].
 *
 * @property folder folder that keeps samples and checkpoint, such as
 *   `File(context.filesDir, "sartor")`; it is created. Null keeps them in memory: they end with the
 *   process. Default: null.
 * @property threads number of threads of one prediction, 1…64. Default: 2, or 1 on a single core.
 * @property thumbnails whether to store a thumbnail of each sample. Default: false.
 * @property photos whether to store the photo of each sample, for another base. Default: false.
 * @property maxSamples largest number of samples, at least 1. A full store evicts samples. Default:
 *   no limit.
 * @property maxBytes largest size of all samples in bytes, at least 1. Default: no limit.
 * @property runtime loads the model. Default: [TfliteRuntime].
 * @throws DataError if an option is out of range.
 */
public data class ModelOptions(
    public val folder: File? = null,
    public val threads: Int = minOf(2, java.lang.Runtime.getRuntime().availableProcessors()),
    public val thumbnails: Boolean = false,
    public val photos: Boolean = false,
    public val maxSamples: Long? = null,
    public val maxBytes: Long? = null,
    public val runtime: Runtime = TfliteRuntime(),
) {
    init {
        if (threads !in 1..MOST_THREADS) {
            throw DataError("threads must be 1 to $MOST_THREADS; got $threads")
        }
        for ((name, limit) in mapOf("maxSamples" to maxSamples, "maxBytes" to maxBytes)) {
            if (limit != null && limit < 1) throw DataError("$name must be at least 1; got $limit")
        }
    }

    /** Builds the options of a model; each method sets the option of its name. */
    public class Builder {
        private var options = ModelOptions()

        /** See [ModelOptions.folder]. */
        public fun folder(folder: File?): Builder = set { copy(folder = folder) }

        /** See [ModelOptions.threads]. */
        public fun threads(threads: Int): Builder = set { copy(threads = threads) }

        /** See [ModelOptions.thumbnails]. */
        public fun thumbnails(thumbnails: Boolean): Builder = set { copy(thumbnails = thumbnails) }

        /** See [ModelOptions.photos]. */
        public fun photos(photos: Boolean): Builder = set { copy(photos = photos) }

        /** See [ModelOptions.maxSamples]. */
        public fun maxSamples(maxSamples: Long): Builder = set { copy(maxSamples = maxSamples) }

        /** See [ModelOptions.maxBytes]. */
        public fun maxBytes(maxBytes: Long): Builder = set { copy(maxBytes = maxBytes) }

        /** See [ModelOptions.runtime]. */
        public fun runtime(runtime: Runtime): Builder = set { copy(runtime = runtime) }

        /** Return the options. */
        public fun build(): ModelOptions = options

        private fun set(change: ModelOptions.() -> ModelOptions): Builder {
            options = options.change()
            return this
        }
    }
}

/**
 * Options of [PersonalModel.addSample].
 *
 * @property heldOut whether to use the sample to measure, and never to train. Default: false.
 * @property source name of the sample in the app, such as an asset ID. Default: from its content.
 * @property augment number of augmentations to train on as well, at least 0, images only. Default:
 *   0.
 * @property thumbnail whether to store a thumbnail. Default: that of the model.
 * @property features features of this input from [PersonalModel.predict], which saves an inference.
 *   Default: computed.
 * @throws DataError if [augment] is below 0.
 */
public class SampleOptions @JvmOverloads constructor(
    public val heldOut: Boolean = false,
    public val source: String? = null,
    public val augment: Int = 0,
    public val thumbnail: Boolean? = null,
    public val features: List<FloatArray>? = null,
) {
    init {
        if (augment < 0) throw DataError("augment must be a whole number, at least 0; got $augment")
    }
}
