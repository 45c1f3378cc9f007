package org.sartor.recipe

import org.sartor.RandomNumbers
import org.sartor.contract.Contract
import org.sartor.contract.InputSpec
import org.sartor.images.Augmentation
import org.sartor.images.Box
import org.sartor.images.Pixels
import org.sartor.images.centerBox
import org.sartor.images.normalize
import org.sartor.images.resize

/** The rules of images: rule → function from inputs to outputs. */
internal val IMAGE_RULES: Map<String, (Values) -> Values> = mapOf(
    "center_box" to { x ->
        val width = x.int("width")
        listOf(centerBox(width, x.int("height"), x.int("to_width"), x.int("to_height"))).map {
            mapOf("left" to it.left, "top" to it.top, "width" to it.width, "height" to it.height)
        }.single()
    },
    "decode" to { x ->
        val pixels = pixelsOf(x).onWhite(x.int("channels")).upright(x.int("orientation"))
        mapOf("pixels" to pixels.data)
    },
    "center_pixels" to { x ->
        val image = pixelsOf(x)
        val (width, height) = x.int("width") to x.int("height")
        val box = centerBox(image.width, image.height, width, height)
        mapOf("pixels" to resize(image, box, width, height).data)
    },
    "normalize" to ::normalized,
    "augmentations" to ::augmentations,
)

private fun normalized(x: Values): Values {
    val rows = x.list("pixels").map { row -> (row as List<*>).map { (it as Number).toByte() } }
    val pixels = Pixels(rows.size, 1, rows.first().size, rows.flatten().toByteArray())
    val (mean, std) = x.numbers("mean").toList() to x.numbers("std").toList()
    val shape = listOf(1, 1, pixels.width, pixels.channels)
    val spec = InputSpec("image", shape, "float32", Contract.IMAGE, mean, std)
    return mapOf("values" to normalize(spec, pixels))
}

private fun augmentations(x: Values): Values {
    val image = pixelsOf(x)
    val (width, height) = x.int("width") to x.int("height")
    val numbers = RandomNumbers(seedOf(x.text("identity")))
    val augmentations = List(x.int("count")) { Augmentation.draw(numbers) }
    return mapOf(
        "crops" to augmentations.map { listOf(it.crop(image, width, height)).flatMap(::sides) },
        "gains" to augmentations.map { it.gain },
        "pixels" to augmentations.mapIndexed { i, each ->
            each.apply(image, width, height, i + 1).data
        },
    )
}

private fun sides(box: Box) = listOf(box.left, box.top, box.width, box.height)

/** Return the seed of an identity in hexadecimal: its first four bytes, little-endian. */
private fun seedOf(identity: String): Long =
    identity.take(8).chunked(2).reversed().joinToString("").toLong(16)

private fun pixelsOf(x: Values): Pixels {
    val image = x.values("image")
    val (height, width, channels) = image.ints("shape")
    val data = image.ints("data").map { it.toByte() }.toByteArray()
    return Pixels(width, height, channels, data)
}
