package org.sartor

import org.json.JSONArray
import org.json.JSONException
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.Matrix
import org.sartor.data.MULTI_LABEL
import org.sartor.data.taskOf
import org.sartor.store.SampleOfStore
import org.sartor.store.SampleSet
import org.sartor.store.SampleStore
import org.sartor.store.checkLabel

private const val EMPTY_CLASSES = "sartor/empty_classes" // key of the app's data: names as JSON

/**
 * The samples of a model, kept in step with its classes.
 *
 * Each sample imprints its class until the class is trained; a class without samples is removed.
 * The methods run one at a time: the caller holds a lock.
 *
 * @property store the samples.
 * @param state the classes.
 * @param manifest manifest of the model.
 * @throws DataError if the samples have more classes than the capacity of the model.
 */
internal class SampleCollection(
    val store: SampleStore,
    private val state: ModelState,
    private val manifest: Manifest,
) {
    init {
        followStore()
        val labels = store.counts().keys
        checkCapacity(labels)
        imprint(labels)
    }

    /** Names of the classes that have no sample yet, in the order of adding. */
    val emptyClasses: List<String>
        get() {
            val indices = state.classIndices
            return storedEmptyClasses().filter { it !in indices }
        }

    /** Throw DataError unless there is a class index for each of these classes. */
    fun checkCapacity(labels: Collection<String>) {
        val classes = state.classIndices
        val added = labels.toSet() - classes.keys
        if (added.size > state.freeClasses) {
            val needed = classes.size + added.size
            throw DataError(
                "the model has no free class for ${added.joinToString()}: its capacity is " +
                    "${manifest.classes.size} classes, and $needed are needed. Convert the base " +
                    "again with --classes $needed; a saved checkpoint loads into it",
            )
        }
    }

    /** Throw DataError unless the model has these classes. */
    fun checkClasses(labels: Collection<String>) {
        val classes = state.classIndices
        val unknown = labels.firstOrNull { it !in classes } ?: return
        val names = classes.keys.joinToString().ifEmpty { "none" }
        throw DataError("the model has no class '$unknown'; its classes: $names")
    }

    /** Return the stored sample of an identity, unless it has other targets: throws DataError. */
    fun findSame(source: ByteArray, targets: Map<String, Double>): StoredSample? {
        val stored = store.find(source)
        if (stored != null && stored.targets != targets) {
            val label = stored.targets.entries.joinToString { (name, value) -> "$name $value" }
            throw DataError(
                "the sample is stored already, as number ${stored.id}, with another label " +
                    "($label): forget it first",
            )
        }
        return stored
    }

    /** Store a sample, imprint its classes, and return its number. */
    fun add(sample: SampleOfStore): Long {
        checkCapacity(sample.targets.keys)
        val id = store.add(sample, state.classKeys)
        val rows = store.round(sample.features)
        for ((label, target) in sample.targets) {
            val isMember = store.belongs(target) && !sample.isHeldOut
            state.addSample(label, if (isMember) rows else null)
        }
        val new = sample.targets.keys - state.classKeys.keys
        if (new.isNotEmpty()) state.follow(store.keysOf(new))
        forgetFilledClasses()
        state.samplesSeen += 1
        return id
    }

    /** Rename and remove the classes that were renamed and removed in the store. */
    fun followStore() {
        state.follow(store.classKeys())
    }

    /** Do the same if another program has changed the store: reading all classes takes time. */
    fun followChanges() {
        if (store.changedElsewhere()) followStore()
    }

    /** Delete samples, and what was computed from them; remove classes without samples. */
    fun forget(ids: Collection<Long>) {
        val before = store.counts()
        store.forget(ids)
        val after = store.counts()
        for (label in before.keys) {
            if ((after[label] ?: 0) == 0 && label in state.classIndices) state.remove(label)
        }
        val rows = store.select(heldOut = false)
        state.forgetSamples(state.newClasses.associateWith { featuresOf(rows, it) })
    }

    /** Add the name of a class that has no sample. */
    fun addEmptyClass(label: String) {
        checkNewName(label)
        val empty = emptyClasses
        val capacity = manifest.classes.size
        if (state.classIndices.size + empty.size >= capacity) {
            throw DataError(
                "the model has no free class for '$label': its capacity is $capacity classes",
            )
        }
        setEmptyClasses(empty + label)
    }

    /** Delete a class and its samples. */
    fun removeClass(label: String) {
        val empty = emptyClasses
        if (label in empty) {
            setEmptyClasses(empty - label)
            return
        }
        checkClasses(listOf(label))
        val key = state.classKeys[label]
        if (label in store.counts()) {
            store.forgetClass(label)
        } else if (key != null) {
            store.recordRemoved(listOf(key))
        }
        state.remove(label)
    }

    /** Rename a class; throws DataError if the name is that of another class, or not a name. */
    fun renameClass(label: String, name: String) {
        val empty = emptyClasses
        if (label !in empty) checkClasses(listOf(label))
        if (label == name) return
        checkNewName(name)
        if (label in empty) {
            setEmptyClasses(empty.map { if (it == label) name else it })
            return
        }
        if (label in store.counts()) store.rename(label, name)
        state.rename(label, name)
    }

    /** Return the classes by class index; then those without sample. */
    fun summaries(): List<ClassSummary> {
        val all = store.counts()
        val heldOut = store.counts(heldOut = true)
        val ofModel = state.classIndices.map { (name, index) ->
            ClassSummary(name, index, all[name] ?: 0, heldOut[name] ?: 0, !state.isNew(name))
        }
        return ofModel + emptyClasses.map { ClassSummary(it, null, 0, 0, false) }
    }

    /**
     * Return the last thumbnails of a class, in the order of their samples; null for all classes.
     */
    fun thumbnails(label: String?, limit: Int): List<Thumbnail> =
        store.samples().asReversed().asSequence()
            .filter { label == null || store.belongs(it.targets[label]) }
            .mapNotNull { sample ->
                store.image(sample.id, Contract.STORE_THUMBNAIL)?.let { Thumbnail(sample.id, it) }
            }
            .take(limit).toList().asReversed()

    /** Return the held-out samples, or all samples if none is held out. */
    fun evaluationSet(): SampleSet {
        val rows = store.select(heldOut = true)
        return if (rows.samples.isNotEmpty()) rows else store.select()
    }

    /** Imprint the classes that a loaded checkpoint lacks, up to the capacity. */
    fun imprintStoredClasses() {
        followStore()
        val indices = state.classIndices
        val (old, others) = store.counts().keys.partition { it in indices }
        imprint(old + others.take(state.freeClasses))
        state.keepLoadedWeights()
    }

    /** Imprint the classes that no training has changed, for other weights of tuned layers. */
    fun imprintNewClasses() {
        val added = state.newClasses
        if (added.isEmpty()) return
        val rows = store.select(heldOut = false)
        state.imprint(added.associateWith { featuresOf(rows, it) })
    }

    private fun checkNewName(name: String) {
        checkLabel(name)
        val label = Label.of(mapOf(name to true))
        taskOf(manifest.copy(task = MULTI_LABEL)).targets(label, emptyList())
        if (name in state.classIndices || name in emptyClasses) {
            throw DataError("the model has a class '$name' already: choose another name")
        }
    }

    /** Remove the classes that have got a sample from the stored names of empty classes. */
    private fun forgetFilledClasses() {
        val stored = storedEmptyClasses()
        if (stored.isEmpty()) return
        val indices = state.classIndices
        val empty = stored.filter { it !in indices }
        if (empty.size < stored.size) setEmptyClasses(empty)
    }

    private fun storedEmptyClasses(): List<String> {
        val text = store.appData(EMPTY_CLASSES)[EMPTY_CLASSES] ?: return emptyList()
        return try {
            JSONArray(text).run { List(length(), ::getString) }
        } catch (_: JSONException) {
            emptyList() // another app wrote the key
        }
    }

    private fun setEmptyClasses(names: List<String>) {
        store.setAppData(EMPTY_CLASSES, if (names.isEmpty()) null else JSONArray(names).toString())
    }

    /** Imprint the classes that have no weights yet, from their stored samples. */
    private fun imprint(labels: Collection<String>) {
        val added = labels.filter(state::needsSamples)
        if (added.isEmpty()) return
        val rows = store.select(heldOut = false)
        state.imprint(added.associateWith { featuresOf(rows, it) })
    }

    /** Return the features of the samples of a class; [SampleStore.counts] counts the same. */
    private fun featuresOf(rows: SampleSet, label: String): List<Matrix> {
        val column = rows.classes.indexOf(label)
        val members = indicesOf(rows.samples.size) { row ->
            column >= 0 && store.belongs(rows.targets[row, column].toDouble())
        }
        return rows.take(members).features
    }
}
