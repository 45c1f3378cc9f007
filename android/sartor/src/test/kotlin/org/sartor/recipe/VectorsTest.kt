package org.sartor.recipe

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

/** The vectors and their comparison. */
internal class VectorsTest {
    @Test
    fun noRuleIsLeftOut() {
        val rules = RULES.keys + IMAGE_RULES.keys + MODEL_RULES.keys + "evict"
        assertEquals(rules, allCases().map { it.rule }.toSet())
    }

    @Test
    fun aDifferenceIsAbsoluteBelow1AndRelativeAbove() {
        val values = mapOf("x" to listOf(0.5, 200))
        assertEquals(1.0, difference(values, mapOf("x" to listOf(0.25, 100))), 0.0)
        assertEquals(0.25, difference(listOf(0.5), listOf(0.25)), 0.0)
        assertEquals(0.0, difference(listOf(listOf(1), listOf(2)), listOf(1, 2)), 0.0)
    }

    @Test
    fun pixelsMayDifferByOneLevel() {
        val expected = mapOf("pixels" to listOf(listOf(1, 2), listOf(3, 255)))
        assertEquals(0.0, difference(mapOf("pixels" to listOf(2, 1, 4, 254)), expected), 0.0)
        assertEquals(2.0, difference(mapOf("pixels" to listOf(1, 2, 3, 253)), expected), 0.0)
    }

    @Test
    fun otherNamesLengthsAndTypesAreRefused() {
        val pairs = listOf(
            mapOf("a" to 1) to mapOf("b" to 1),
            listOf(1) to listOf(1, 2),
            true to false,
            null to 1,
            1 to null,
            Double.NaN to 1,
            "a" to "b",
        )
        for ((value, expected) in pairs) {
            assertThrows("$value", AssertionError::class.java) { difference(value, expected) }
        }
    }
}
