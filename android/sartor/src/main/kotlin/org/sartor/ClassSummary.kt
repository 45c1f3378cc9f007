package org.sartor

/**
 * One class of a model; of a regression, one of its values.
 *
 * @property name Name of the class.
 * @property index Class index; null if the class has had no sample yet.
 * @property samples Number of its samples, held-out ones included.
 * @property heldOut Number of its held-out samples.
 * @property isTrained Whether a training has changed its weights; otherwise they are imprinted.
 */
public class ClassSummary internal constructor(
    public val name: String,
    public val index: Int?,
    public val samples: Int,
    public val heldOut: Int,
    public val isTrained: Boolean,
) {
    override fun toString(): String = "$name: $samples samples"
}

/**
 * A thumbnail.
 *
 * @property id Number of the sample.
 * @property image PNG of at most 48 x 48 pixels.
 */
public class Thumbnail internal constructor(public val id: Long, public val image: ByteArray)
