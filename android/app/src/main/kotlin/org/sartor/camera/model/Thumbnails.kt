package org.sartor.camera.model

import android.graphics.BitmapFactory
import org.sartor.PersonalModel

/** The thumbnails of the newest samples of each class. */
class Thumbnails {
    private val byClass = HashMap<String, List<Thumbnail>>()

    /** Return the thumbnails of a class, the newest first. */
    fun of(label: String): List<Thumbnail> = synchronized(byClass) { byClass[label].orEmpty() }

    /** Load the thumbnails of all classes from a model, in the place of the present ones. */
    fun loadAll(model: PersonalModel) {
        val heldOut = heldOut(model)
        val loaded = model.classes().associate { it.name to read(model, it.name, MOST, heldOut) }
        synchronized(byClass) {
            byClass.clear()
            byClass.putAll(loaded)
        }
    }

    /** Add the thumbnail of a new sample. */
    fun load(model: PersonalModel, label: String, id: Long, isHeldOut: Boolean) {
        val image = model.thumbnails(label, 1).find { it.id == id }?.image ?: return
        val added = decode(id, image, isHeldOut) ?: return
        change(label) { (listOf(added) + it).take(MOST) }
    }

    /** Return all thumbnails of a class, the newest first. */
    fun all(model: PersonalModel, label: String): List<Thumbnail> = read(model, label, Int.MAX_VALUE, heldOut(model))

    /** Forget samples of a class. */
    fun remove(label: String, ids: List<Long>) = change(label) { all -> all.filter { it.id !in ids } }

    /** Forget a class. */
    fun removeClass(label: String) = change(label) { emptyList() }

    /** Rename a class. */
    fun rename(label: String, name: String) {
        synchronized(byClass) { byClass.remove(label)?.let { byClass[name] = it } }
    }

    private fun change(label: String, change: (List<Thumbnail>) -> List<Thumbnail>) {
        synchronized(byClass) { byClass[label] = change(byClass[label].orEmpty()) }
    }

    private fun heldOut(model: PersonalModel) = model.samples().filter { it.isHeldOut }.map { it.id }.toSet()

    private fun read(model: PersonalModel, label: String, limit: Int, heldOut: Set<Long>): List<Thumbnail> =
        model.thumbnails(label, limit).mapNotNull { decode(it.id, it.image, it.id in heldOut) }.reversed()

    private fun decode(id: Long, image: ByteArray, isHeldOut: Boolean): Thumbnail? =
        BitmapFactory.decodeByteArray(image, 0, image.size)?.let { Thumbnail(id, it, isHeldOut) }

    private companion object {
        /** Number of thumbnails that a card shows at most. */
        const val MOST = 12
    }
}
