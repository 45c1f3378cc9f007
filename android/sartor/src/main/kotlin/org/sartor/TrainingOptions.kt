package org.sartor

import org.sartor.contract.Manifest
import org.sartor.data.REGRESSION

/** Decay of the learning rate of a training. */
public enum class Decay {
    /** Half a cosine to 0. */
    COSINE,

    /** Linear to 0. */
    LINEAR,

    /** No decay. */
    CONSTANT,
}

/** Parts of a model that a training trains. */
public enum class Depth {
    /** The head, and the tuned layers if held-out samples gain. */
    AUTO,

    /** The head. */
    HEAD,

    /** The head and the tuned layers. */
    LAYERS,
}

/**
 * The options of a training.
 *
 * In Java, use [Builder].
 *
 * @property epochs number of epochs, at least 1. Default: depends on the number of samples.
 * @property seconds time limit of the whole training, in seconds, above 0: the epochs get half of
 *   it, and the cross-validation the other half; of tuned layers, each of four parts a quarter.
 *   Default: none.
 * @property patience number of epochs without improvement on held-out samples that ends the
 *   training, at least 1. The best weights are kept. Without held-out samples, a third of each
 *   class is held out for this training. Default: no early stopping.
 * @property learningRate learning rate of the first step, at least 0. Default: depends on the
 *   features.
 * @property weightDecay weight decay, at least 0. Default: cross-validation chooses it, unless
 *   [epochs], [seconds] or [patience] limit the training.
 * @property decay decay of the learning rate. Default: [Decay.COSINE].
 * @property warmStart whether to continue from the present weights. Default: false.
 * @property seed random seed, at least 0. The same seed gives the same weights if [seconds] is not
 *   set. Default: 0.
 * @property depth parts to train. A file has tuned layers if it was converted with `--fine-tune`.
 *   Default: [Depth.AUTO].
 * @throws DataError if an option is out of range.
 */
public data class TrainingOptions(
    public val epochs: Int? = null,
    public val seconds: Double? = null,
    public val patience: Int? = null,
    public val learningRate: Double? = null,
    public val weightDecay: Double? = null,
    public val decay: Decay = Decay.COSINE,
    public val warmStart: Boolean = false,
    public val seed: Long = 0,
    public val depth: Depth = Depth.AUTO,
) {
    init {
        check("epochs", epochs, "a whole number, at least 1") { it >= 1 }
        check("seconds", seconds, "a finite number above 0") { it > 0 && it.isFinite() }
        check("patience", patience, "a whole number, at least 1") { it >= 1 }
        check("learningRate", learningRate, AT_LEAST_0) { it >= 0 && it.isFinite() }
        check("weightDecay", weightDecay, AT_LEAST_0) { it >= 0 && it.isFinite() }
        check("seed", seed, "a whole number, at least 0") { it >= 0 }
    }

    /** Whether an option limits the length of a training. */
    internal val isLimited: Boolean get() = epochs != null || seconds != null || patience != null

    /**
     * Return the time limit of each part of a training, which share [seconds] equally.
     *
     * The parts are the training of the head and its cross-validation; with tuned layers, also
     * their training without a fold, and on all samples. A regression and a warm start have no
     * cross-validation, and a warm start does not train the layers.
     */
    internal fun secondsOfPart(manifest: Manifest): Double? {
        val isWarm = warmStart || onlyMeasures
        val trainsLayers = manifest.layers != null && depth != Depth.HEAD && !isWarm
        val ofHead = if (isWarm || manifest.task == REGRESSION) 1 else 2
        return seconds?.div(if (trainsLayers) 2 * ofHead else ofHead)
    }

    /** Whether a training leaves all weights unchanged. */
    internal val onlyMeasures: Boolean get() = learningRate == 0.0

    /** Builds the options of a training; each method sets the option of its name. */
    public class Builder {
        private var options = TrainingOptions()

        /** See [TrainingOptions.epochs]. */
        public fun epochs(epochs: Int): Builder = set { copy(epochs = epochs) }

        /** See [TrainingOptions.seconds]. */
        public fun seconds(seconds: Double): Builder = set { copy(seconds = seconds) }

        /** See [TrainingOptions.patience]. */
        public fun patience(patience: Int): Builder = set { copy(patience = patience) }

        /** See [TrainingOptions.learningRate]. */
        public fun learningRate(rate: Double): Builder = set { copy(learningRate = rate) }

        /** See [TrainingOptions.weightDecay]. */
        public fun weightDecay(weightDecay: Double): Builder =
            set { copy(weightDecay = weightDecay) }

        /** See [TrainingOptions.decay]. */
        public fun decay(decay: Decay): Builder = set { copy(decay = decay) }

        /** See [TrainingOptions.warmStart]. */
        public fun warmStart(warmStart: Boolean): Builder = set { copy(warmStart = warmStart) }

        /** See [TrainingOptions.seed]. */
        public fun seed(seed: Long): Builder = set { copy(seed = seed) }

        /** See [TrainingOptions.depth]. */
        public fun depth(depth: Depth): Builder = set { copy(depth = depth) }

        /** Return the options. */
        public fun build(): TrainingOptions = options

        private fun set(change: TrainingOptions.() -> TrainingOptions): Builder {
            options = options.change()
            return this
        }
    }
}

private const val AT_LEAST_0 = "a finite number, at least 0"

private fun <T : Number> check(name: String, value: T?, range: String, isValid: (T) -> Boolean) {
    if (value != null && !isValid(value)) throw DataError("$name must be $range; got $value")
}
