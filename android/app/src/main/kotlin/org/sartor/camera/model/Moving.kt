package org.sartor.camera.model

import android.content.Context
import org.sartor.Input
import org.sartor.PersonalModel
import org.sartor.SampleOptions
import org.sartor.StoredSample
import org.sartor.camera.R

/**
 * The samples of a base that move to another one: copies of them, so that none is lost.
 *
 * @param from model of the base.
 * @property former name of the base.
 * @param places places of the classes.
 */
class Moving(private val from: PersonalModel, val former: String, private val places: List<Place>) {
    private val samples = from.samples().filter { it.targets.isNotEmpty() }
    private val movable = samples.filter { from.hasPhoto(it.id) }

    /** Number of samples. */
    val total: Int get() = samples.size

    /** Number of samples without a photo, from which the other base could compute the features. */
    val left: Int get() = samples.size - movable.size

    /** Return why a model of another base cannot take the samples; null if it can. */
    fun refusal(context: Context, to: PersonalModel, name: String): String? {
        val classes = samples.map(::labelOf).toSet().size
        return when {
            to.classes().any { it.index != null } -> context.getString(R.string.own_classes, name, former)
            classes > to.capacity -> context.getString(R.string.too_many_classes, name, to.capacity, classes, former)
            else -> null
        }
    }

    /**
     * Add the photos to a model of another base, in the place of its classes.
     *
     * @param onSample called after each sample, with their number so far and the number of all.
     */
    fun fill(to: PersonalModel, onSample: (Int, Int) -> Unit) {
        removeClasses(to)
        movable.forEachIndexed { i, sample ->
            val photo = checkNotNull(from.photo(sample.id))
            to.addSample(Input.of(photo), labelOf(sample), SampleOptions(heldOut = sample.isHeldOut))
            onSample(i + 1, movable.size)
        }
        val labels = movable.map(::labelOf).toSet()
        val others = places.map { it.name }.filter { it !in labels }
        others.take(to.capacity - labels.size).forEach(to::addClass)
        to.setAppData(LAYOUT, writePlaces(places))
    }

    private fun labelOf(sample: StoredSample) = sample.targets.keys.first()
}

/** Delete all classes and samples of a model. */
fun removeClasses(model: PersonalModel): Unit = model.classes().forEach { model.removeClass(it.name) }
