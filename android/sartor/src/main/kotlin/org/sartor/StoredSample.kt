package org.sartor

import java.util.Date

/**
 * One sample of the store, without its features.
 *
 * @property id Number of the sample; numbers increase, and none is used twice.
 * @property targets Class name → target: 1 for the class of a classification, 1 or 0 for several
 *   labels, any number for a regression. Other targets are missing.
 * @property added Time of adding, for information only.
 * @property isHeldOut Whether the sample measures and does not train.
 * @property rows Number of rows of features: 1 for the sample, and 1 for each augmentation.
 * @property source Hash that identifies the sample, in hexadecimal, or null.
 */
public class StoredSample internal constructor(
    public val id: Long,
    public val targets: Map<String, Double>,
    public val added: Date,
    public val isHeldOut: Boolean,
    public val rows: Int,
    public val source: String?,
) {
    override fun toString(): String = "sample $id: $targets"
}
