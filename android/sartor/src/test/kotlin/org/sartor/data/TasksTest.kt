package org.sartor.data

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.sartor.DataError
import org.sartor.Label
import org.sartor.recipe.manifestOf

/** The meaning of labels. */
internal class TasksTest {
    private val classes = listOf("hat", "scarf")

    private fun targets(task: String, label: Label) =
        taskOf(manifestOf(task, 3)).targets(label, classes)

    private fun assertRefused(task: String, label: Label, message: String) {
        val error = assertThrows(DataError::class.java) { targets(task, label) }
        assertTrue(error.message.orEmpty(), message in error.message.orEmpty())
    }

    @Test
    fun aClassificationTakesTheNameOfAClass() {
        assertEquals(mapOf("hat" to 1.0), targets(CLASSIFICATION, Label.of("hat")))
        assertRefused(CLASSIFICATION, Label.of(listOf("hat")), "got [hat]")
        assertRefused(CLASSIFICATION, Label.of(mapOf("hat" to 1)), "got {hat=1}")
    }

    @Test
    fun severalLabelsApplyOrNot() {
        assertEquals(mapOf("hat" to 0.0, "scarf" to 1.0), targets(MULTI_LABEL, Label.of("scarf")))
        assertEquals(
            mapOf("hat" to 1.0, "scarf" to 0.0, "glove" to 1.0),
            targets(MULTI_LABEL, Label.of(listOf("hat", "glove"))),
        )
        assertEquals(
            mapOf("hat" to 0.0, "scarf" to 1.0),
            targets(MULTI_LABEL, Label.of(listOf("scarf"))),
        )
        assertEquals(
            "other targets are missing",
            mapOf("hat" to 0.0, "glove" to 1.0),
            targets(MULTI_LABEL, Label.of(mapOf("hat" to false, "glove" to true))),
        )
        assertRefused(MULTI_LABEL, Label.of(mapOf("hat" to "yes")), "must be true or false; got yes")
    }

    @Test
    fun aRegressionTakesFiniteNumbers() {
        assertEquals(
            mapOf("x" to 0.1, "y" to -2.0),
            targets(REGRESSION, Label.of(mapOf("x" to 0.1, "y" to -2))),
        )
        assertRefused(REGRESSION, Label.of("x"), "give name → number; got 'x'")
        assertRefused(REGRESSION, Label.of(mapOf("x" to Double.NaN)), "'x' must be a finite number")
        assertRefused(REGRESSION, Label.of(mapOf("x" to "1")), "'x' must be a finite number; got 1")
    }

    @Test
    fun namesAreOneLineOfPrintableCharacters() {
        assertEquals(mapOf("Hüte 🎩" to 1.0), targets(CLASSIFICATION, Label.of("Hüte 🎩")))
        for (name in listOf("", " ", "\t")) {
            assertRefused(CLASSIFICATION, Label.of(name), "must be the name of a class")
        }
        for (name in listOf("a\nb", "a\u2028b", "a\u0000", "a\ud83c")) {
            assertRefused(CLASSIFICATION, Label.of(name), "one line of printable characters")
        }
    }
}
