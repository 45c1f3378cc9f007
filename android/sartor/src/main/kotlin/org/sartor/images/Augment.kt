/** Augmentation of images: mirrored, cropped elsewhere, brighter or darker; see docs/recipe.md. */

package org.sartor.images

import org.sartor.RandomNumbers

private const val DRAWS = 4 // random numbers per augmentation
private const val MIN_SHARE = 45875L // 0.7 of 65536
private const val SHARES = 19661L // and the rest
private const val MIN_GAIN = 179L // 0.7 of 256
private const val GAINS = 155L // number of gains up to 1.3

/**
 * The random choices of one augmentation.
 *
 * @param numbers its random numbers a, b, c and d, 0…65535.
 */
internal class Augmentation private constructor(private val numbers: LongArray) {
    /** Factor of the levels, in units of 1/256. */
    val gain: Int get() = (MIN_GAIN + numbers[3] * GAINS / 65536).toInt()

    /** Return the crop of an image. */
    fun crop(image: Pixels, toWidth: Int, toHeight: Int): Box {
        val center = centerBox(image.width, image.height, toWidth, toHeight)
        val share = MIN_SHARE * 65536 + SHARES * numbers[0]
        val width = maxOf(1, (center.width * share shr 32).toInt())
        val height = maxOf(1, (center.height * share shr 32).toInt())
        return Box(
            left = (numbers[1] * (image.width - width + 1) / 65536).toInt(),
            top = (numbers[2] * (image.height - height + 1) / 65536).toInt(),
            width,
            height,
        )
    }

    /**
     * Return the augmented image.
     *
     * @param image image in RGB or gray.
     * @param width width of the result.
     * @param height height of the result.
     * @param number number of the augmentation, from 1. Odd ones are mirrored.
     */
    fun apply(image: Pixels, width: Int, height: Int, number: Int): Pixels {
        val result = resize(image, crop(image, width, height), width, height)
        val channels = result.channels
        val changed = ByteArray(result.data.size) { at ->
            val from = if (number % 2 == 0) {
                at
            } else {
                val pixel = at / channels
                val mirrored = pixel - 2 * (pixel % width) + width - 1
                mirrored * channels + at % channels
            }
            minOf(255, result.level(from) * gain + 128 shr 8).toByte()
        }
        return Pixels(width, height, channels, changed)
    }

    companion object {
        /** Return the choices of the next augmentation. */
        fun draw(numbers: RandomNumbers): Augmentation {
            val draws = numbers.draw(DRAWS)
            return Augmentation(LongArray(DRAWS) { draws[it] ushr 16 })
        }
    }
}
