package org.sartor.confidence

import kotlin.math.pow

/**
 * Return the expected accuracy of a model that was trained on all samples.
 *
 * The models of a cross-validation were trained on fewer samples, so their error is higher. It is
 * assumed to fall with the cube root of the number of samples.
 *
 * @param heldOut accuracy on held-out samples of models trained on a part of the samples, 0…1.
 * @param fraction number of samples of that part, as a fraction of all, 0…1.
 * @return 0…1.
 */
internal fun expectedAccuracy(heldOut: Double, fraction: Double): Double =
    1 - (1 - heldOut) * fraction.pow(1.0 / 3)
