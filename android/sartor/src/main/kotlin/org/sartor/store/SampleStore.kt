package org.sartor.store

import java.io.File
import java.util.concurrent.locks.ReentrantLock
import org.sartor.DataError
import org.sartor.ModelLock
import org.sartor.StoredSample
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.Matrix
import org.sartor.data.REGRESSION

/**
 * A sample for [SampleStore.add].
 *
 * @property features Values of each features tensor: a row for the sample and each augmentation.
 * @property targets Class name → target.
 * @property source Hash that identifies the sample.
 * @property isHeldOut Whether it measures and does not train.
 * @property images Kind (`thumbnail`, `photo`) → image file.
 */
internal class SampleOfStore(
    val features: List<Matrix>,
    val targets: Map<String, Double>,
    val source: ByteArray,
    val isHeldOut: Boolean,
    val images: Map<String, ByteArray>,
)

/**
 * Features and labels of samples, in an SQLite database.
 *
 * A method that returns has written its changes. A method that throws has changed nothing. The
 * methods run one at a time: the caller holds [lock], unless it is the only one.
 *
 * @param file the file; an empty or missing one becomes a store. Null stores in memory.
 * @param name name for messages.
 * @param manifest manifest of the model that computes the features.
 * @param limits limits of the store. Default: none.
 * @param create whether an empty file becomes a store. Default: true.
 * @throws org.sartor.StoreError if the file is damaged, not a store, of another version or base.
 */
internal class SampleStore(
    file: File?,
    name: String,
    private val manifest: Manifest,
    private val limits: Limits = Limits(),
    create: Boolean = true,
) : AutoCloseable {
    private val task = manifest.task
    private val codec = FeatureCodec(manifest.features)
    private val database = Database(file, name, manifest.fingerprints.base, task, create)

    /** Held by the caller of each method, and while [StoredFeatures] are read. */
    val lock: ReentrantLock = ModelLock()

    /** Number of samples. */
    val size: Long get() = database.rows("SELECT count(*) FROM sample").first().first() as Long

    /**
     * Store a sample.
     *
     * @param sample the sample.
     * @param keys class name → key that a new class gets.
     * @return the ID of the sample; IDs increase.
     * @throws DataError if it does not fit the model, or is larger than `maxBytes`.
     * @throws org.sartor.StorageError if the storage is full; nothing is changed.
     */
    fun add(sample: SampleOfStore, keys: Map<String, String>): Long {
        checkTargets(task, sample.targets)
        for ((kind, data) in sample.images) checkImage(kind, data)
        val encoded = codec.encode(sample.features)
        val rows = sample.features.first().rows
        val row = sample.run { NewSample(encoded, rows, targets, source, isHeldOut, images) }
        if (limits.maxBytes != null && row.size > limits.maxBytes) {
            throw DataError(
                "the sample has ${row.size} bytes, more than maxBytes = ${limits.maxBytes}: " +
                    "raise maxBytes, or store no photos",
            )
        }
        return database.writing {
            insertSample(database, row, keys).also { evict(database, codec, it, limits) }
        }
    }

    /** Return the first sample with this source, or null. */
    fun find(source: ByteArray): StoredSample? {
        val id =
            database.rows("SELECT min(id) FROM sample WHERE source = ?", source).first().first()
        return (id as Long?)?.let { readSamples(database, it).firstOrNull() }
    }

    /** Return all samples, in the order in which they were added. */
    fun samples(): List<StoredSample> = readSamples(database)

    /**
     * Return class name → number of its samples, in the order of their first samples.
     *
     * @param heldOut whether the samples are held out; null for both.
     */
    fun counts(heldOut: Boolean? = null): Map<String, Int> {
        val counts = readClasses(database).values.associateWithTo(LinkedHashMap()) { 0 }
        for (sample in samples()) {
            if (heldOut != null && sample.isHeldOut != heldOut) continue
            for ((label, value) in sample.targets) {
                if (belongs(value)) counts[label] = (counts[label] ?: 0) + 1
            }
        }
        return counts
    }

    /** Return whether a target belongs to a class: above 0, or any number for a regression. */
    fun belongs(target: Double?): Boolean =
        target != null && !target.isNaN() && (target > 0 || task == REGRESSION)

    /** Return features with the precision of the store. */
    fun round(features: List<Matrix>): List<Matrix> = codec.round(features)

    /**
     * Return samples with their features.
     *
     * In a file with tuned layers, the features stay in the store until they are read.
     *
     * @param heldOut whether the samples are held out; null for both.
     * @throws org.sartor.StoreError if one is damaged.
     */
    fun select(heldOut: Boolean? = null): SampleSet {
        val samples = samples().filter { heldOut == null || it.isHeldOut == heldOut }
        val features = when (manifest.layers) {
            null -> readAllFeatures(database, codec, samples)
            else -> StoredFeatures.ofSamples(database, codec, lock, samples)
        }
        return readSampleSet(database, samples, features)
    }

    /** Delete samples, and overwrite their bytes; throws DataError if an ID is unknown. */
    fun forget(ids: Collection<Long>) {
        database.writing {
            val unknown = ids - samples().map { it.id }.toSet()
            if (unknown.isNotEmpty()) {
                throw DataError("the store has no sample ${unknown.joinToString()}")
            }
            deleteSamples(database, ids.toSet())
            database.eraseAfter()
        }
    }

    /** Delete the targets of a class and the samples without other targets. */
    fun forgetClass(label: String) {
        database.writing {
            deleteTargets(database, label)
            database.eraseAfter()
        }
    }

    /** Rename a class that is in the store. */
    fun rename(old: String, name: String) {
        checkLabel(name)
        database.writing { renameClass(database, old, name) }
    }

    /** Return a thumbnail or photo, or null. */
    fun image(id: Long, kind: String): ByteArray? = readImage(database, id, kind)

    /** Return whether a thumbnail or photo is stored. */
    fun hasImage(id: Long, kind: String): Boolean =
        database.rows("SELECT 1 FROM image WHERE sample = ? AND kind = ?", id, kind).isNotEmpty()

    /** Return the texts of the app whose keys start with a prefix: key → text. */
    fun appData(prefix: String): Map<String, String> = readAppData(database, prefix)

    /** Store a text of the app, which stays with the samples; null deletes it. */
    fun setAppData(key: String, text: String?) {
        database.writing { writeAppData(database, key, text) }
    }

    /** Return class key → name, or null for a removed class. */
    fun classKeys(): Map<String, String?> = readClassKeys(database)

    /** Return class key → name, of some classes. */
    fun keysOf(labels: Collection<String>): Map<String, String> = labels.flatMap { label ->
        database.rows("SELECT key FROM class WHERE name = ?", label).map { (key) -> "$key" to label }
    }.toMap()

    /** Return whether another program has changed the store since the last call. */
    fun changedElsewhere(): Boolean = database.changedElsewhere()

    /** Record that classes without samples are removed from the model. */
    fun recordRemoved(keys: Collection<String>) {
        database.writing { writeRemoved(database, keys) }
    }

    /** Read every sample; throws StoreError if one is damaged, or does not fit the model. */
    fun check() {
        for (sample in samples()) {
            readFeatures(database, codec, listOf(sample))
            readImage(database, sample.id, Contract.STORE_THUMBNAIL)
            readImage(database, sample.id, Contract.STORE_PHOTO)
        }
    }

    /** Write a copy into a new file. */
    fun copyTo(file: File) {
        SampleStore(file, "the copy $file", manifest).use { copy ->
            copy.database.writing { copyAll(database, copy.database) }
            copy.database.endLog()
        }
    }

    /**
     * Replace all samples by those of another store, which is checked; forget the old ones.
     *
     * @param other the other store.
     * @param removed keys of classes that are removed, too.
     */
    fun replace(other: SampleStore, removed: Collection<String>) {
        database.writing {
            deleteSamples(database, samples().map { it.id })
            writeRemoved(database, removed)
            copyAll(other.database, database)
            database.eraseAfter()
        }
    }

    /** Close the file. May be called again. */
    override fun close() {
        database.close()
    }
}
