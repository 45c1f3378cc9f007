package org.sartor

import android.content.Context
import java.io.Closeable
import java.io.File
import java.io.InputStream
import java.nio.ByteBuffer
import kotlin.concurrent.withLock
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.REGRESSION
import org.sartor.litert.mapAsset
import org.sartor.litert.mapFile
import org.sartor.saved.writeModelOfProject
import org.sartor.store.FolderLock

private const val OWN_DATA = "sartor/" // start of the keys of the library in the data of the app

/**
 * A personalizable file that learns classes from samples on this device.
 *
 * Every method may be called from any thread, and blocks until its work is done: call it from a
 * background thread. Predictions continue to work during a training, with the last published
 * weights.
 *
 * With [ModelOptions.folder], a sample is stored when [addSample] returns, and the checkpoint soon
 * after each change: a model that is opened again continues where it was. A method that throws has
 * changed nothing. All errors are a [SartorError].
 */
public class PersonalModel private constructor(parts: ModelParts) :
    ModelFiles(parts),
    Closeable {
    private val lock = parts.lock
    private val state = parts.state
    private val samples = parts.samples
    private val store = parts.samples.store
    private var isClosed = false

    /** The manifest of the file. */
    public val manifest: Manifest = parts.file.manifest

    /** Messages about saved parts that do not fit the model, or are damaged, at the opening. */
    public val notes: List<String> = parts.notes

    /** Largest number of classes. */
    public val capacity: Int get() = manifest.classes.size

    /**
     * Return the classes (of a regression, its values) by class index; then those without sample.
     */
    public fun classes(): List<ClassSummary> = parts.locked(samples::summaries)

    /** Return all samples, in the order in which they were added. */
    public fun samples(): List<StoredSample> = lock.withLock { store.samples() }

    /**
     * Return stored thumbnails, in the order in which their samples were added.
     *
     * @param label name of a class. Default: all classes.
     * @param limit largest number, at least 0; the last ones are returned. Default: no limit.
     */
    @JvmOverloads
    public fun thumbnails(label: String? = null, limit: Int = Int.MAX_VALUE): List<Thumbnail> {
        if (limit < 0) throw DataError("limit must be at least 0; got $limit")
        return lock.withLock { samples.thumbnails(label, limit) }
    }

    /** Return the stored photo of a sample, an image file, or null if there is none. */
    public fun photo(id: Long): ByteArray? = lock.withLock { store.image(id, Contract.STORE_PHOTO) }

    /** Return whether the photo of a sample is stored: another base can compute its features. */
    public fun hasPhoto(id: Long): Boolean =
        lock.withLock { store.hasImage(id, Contract.STORE_PHOTO) }

    /**
     * Add a sample: store its features, and imprint its class unless it is trained.
     *
     * A new class can be predicted at once. A sample that is stored already is not added again.
     *
     * @param input an image, or values; see [Input].
     * @param label the label, which fits the task of the model; see [Label].
     * @param options see [SampleOptions]. Default: none.
     * @return the number of the sample, for [forget].
     * @throws DataError if the input or label does not fit the model, no class is free, or the
     *   sample has another label.
     * @throws StorageError if the storage is full.
     */
    @JvmOverloads
    public fun addSample(
        input: Input,
        label: Label,
        options: SampleOptions = SampleOptions(),
    ): Long =
        parts.inputs.add(input, label, options).also { parts.saver.schedule() }

    /** Add a sample of one class; see the other method of this name. */
    @JvmOverloads
    public fun addSample(
        input: Input,
        label: String,
        options: SampleOptions = SampleOptions(),
    ): Long =
        addSample(input, Label.of(label), options)

    /** Return the sample with this image, or with this `source`; null if there is none. */
    @JvmOverloads
    public fun find(input: Input, source: String? = null): StoredSample? =
        parts.inputs.find(input, source)

    /**
     * Delete samples for good, and stop a running training.
     *
     * Trained weights still depend on them until the next [fit]. Imprinted classes are imprinted
     * again from their other samples, and classes without samples are removed.
     *
     * @throws DataError if a number is unknown.
     */
    public fun forget(vararg ids: Long): Unit = parts.changing { samples.forget(ids.asList()) }

    /**
     * Add the name of a class that has no sample yet.
     *
     * @throws DataError if it is not a name, or in use, or no class is free.
     */
    public fun addClass(name: String): Unit = lock.withLock { samples.addEmptyClass(name) }

    /** Rename a class; throws DataError if it does not exist, or the new name is in use. */
    public fun renameClass(label: String, name: String): Unit = parts.locked {
        samples.renameClass(label, name)
        parts.saver.schedule()
    }

    /** Delete a class and its samples for good; see [forget]. */
    public fun removeClass(label: String): Unit = parts.changing { samples.removeClass(label) }

    /**
     * Predict the class of an image.
     *
     * @throws DataError if the image does not fit the model, or the model is a regression.
     */
    public fun predict(input: Input): Predictions {
        if (manifest.task == REGRESSION) {
            throw DataError("the model predicts numbers, not classes: call predictValues")
        }
        return predictionsOf(parts.inputs.infer(input))
    }

    /** Return the predictions for some images; see [predict]. */
    public fun predictMany(inputs: Iterable<Input>): List<Predictions> = inputs.map(::predict)

    /** Return name → output: a number for regression, a probability otherwise; see [predict]. */
    public fun predictValues(input: Input): Map<String, Float> = parts.inputs.infer(input).outputs

    /**
     * Measure the accuracy and the loss on stored samples: the held-out ones, or all if none is
     * held out.
     *
     * @throws DataError if there is no sample.
     */
    public fun evaluate(): Evaluation = parts.locked {
        parts.evaluate(storedSamples(samples.evaluationSet()))
    }

    /**
     * Measure the accuracy and the loss.
     *
     * @param samples pairs of an input and its label, preferably not used in training.
     * @throws DataError if there is no sample, or one does not fit.
     */
    public fun evaluate(samples: Iterable<Pair<Input, Label>>): Evaluation =
        parts.evaluate(samples.asSequence().map { (input, label) -> parts.embed(input, label) })

    /**
     * Start a training from scratch on all samples, with equal weight for each class.
     *
     * Cross-validation chooses the weight decay, calibrates the probabilities, and sets the
     * threshold for out-of-distribution inputs. If a class has weights but no samples (a checkpoint
     * brought it), training continues from the present weights instead. The checkpoint is saved at
     * the end.
     *
     * @param options see [TrainingOptions]. Default: none.
     * @param listener called after each epoch and at the end, in the thread of the training.
     *   Default: none.
     * @return a job to pause, resume, stop or await.
     * @throws TrainingError if a training is running.
     * @throws DataError if there are no samples.
     */
    @JvmOverloads
    public fun fit(
        options: TrainingOptions = TrainingOptions(),
        listener: TrainingListener? = null,
    ): TrainingJob = parts.jobs.start(options, listener)

    /** Stop a running training after its present step; see [TrainingJob.stop]. */
    public fun stop() {
        parts.jobs.stop()
    }

    /** Return the texts of the app whose keys start with a prefix: key → text. Default: all. */
    @JvmOverloads
    public fun appData(prefix: String = ""): Map<String, String> = lock.withLock {
        store.appData(prefix).filterKeys { !it.startsWith(OWN_DATA) }
    }

    /** Store a text of the app, which stays with the samples; null deletes it. */
    public fun setAppData(key: String, text: String?): Unit = lock.withLock {
        if (key.startsWith(OWN_DATA)) {
            throw DataError("keys that start with $OWN_DATA belong to Sartor; got $key")
        }
        store.setAppData(key, text)
    }

    /** Stop a running training, save, and release memory and files. May be called again. */
    override fun close(): Unit = parts.jobs.exclusive {
        if (isClosed) return@exclusive
        isClosed = true
        try {
            parts.saver.save()
        } finally {
            parts.close()
        }
    }

    override fun toString(): String =
        "PersonalModel(${parts.file.name}: ${state.classIndices.size} of $capacity classes)"

    public companion object {
        /**
         * Open a personalizable file, with its samples and its checkpoint in a folder.
         *
         * @param file the file; `sartor convert` writes one. It must not change while it is open.
         * @param options see [ModelOptions]. Default: in memory.
         * @throws InvalidModelError if the file cannot be read, is not a model, or is damaged.
         * @throws NotPersonalizableError if the model cannot be trained, or not by this version.
         * @throws StoreError if the model is open already, or the stored samples are damaged or of
         *   another base.
         * @throws StorageError if the folder cannot be written.
         * @throws DataError if the samples have more classes than the capacity of the model.
         */
        @JvmStatic
        @JvmOverloads
        public fun open(file: File, options: ModelOptions = ModelOptions()): PersonalModel =
            PersonalModel(ModelParts.open(mapFile(file), file.path, options))

        /**
         * Open a personalizable file in memory; see the other method of this name.
         *
         * @param content bytes of the file. A buffer that is not direct is copied.
         * @param options see [ModelOptions]. Default: in memory.
         */
        @JvmStatic
        @JvmOverloads
        public fun open(
            content: ByteBuffer,
            options: ModelOptions = ModelOptions(),
        ): PersonalModel =
            PersonalModel(ModelParts.open(content, "the model", options))

        /**
         * Open a personalizable file among the assets of an app; see the other methods of this
         * name.
         *
         * @param context a context of the app.
         * @param asset path of the file among the assets, which must not be compressed
         *   (`noCompress += "tflite"`).
         * @param options see [ModelOptions]. Default: in memory.
         */
        @JvmStatic
        @JvmOverloads
        public fun openAsset(
            context: Context,
            asset: String,
            options: ModelOptions = ModelOptions(),
        ): PersonalModel = PersonalModel(ModelParts.open(mapAsset(context, asset), asset, options))

        /**
         * Write the model file of a project: open it to import a project of another base.
         *
         * @param project content of the project.
         * @param file receives the model; it is written atomically.
         * @throws SartorError if it is not a project, or the project or its model is damaged.
         * @throws StorageError if the file cannot be written.
         */
        @JvmStatic
        public fun modelOfProject(project: InputStream, file: File) {
            writeModelOfProject(project, file)
        }

        /**
         * Delete the samples and the checkpoints of a model.
         *
         * @param folder folder of the model.
         * @throws StoreError if the model is open.
         */
        @JvmStatic
        public fun deleteStorage(folder: File) {
            if (!folder.exists()) return
            FolderLock(folder).use { folder.deleteRecursively() }
        }
    }
}
