package org.sartor.recipe

import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters

/** The rules of docs/recipe.md that need no model: the vectors of `contract/recipe/`. */
@RunWith(Parameterized::class)
internal class RecipeTest(private val case: Case) {
    @Test
    fun computesTheOutputs() {
        val result = toValue(RULES.getValue(case.rule)(case.inputs))
        val difference = difference(result, case.outputs)
        assertTrue("difference $difference, at most ${case.tolerance}", difference <= case.tolerance)
    }

    companion object {
        @JvmStatic
        @Parameters(name = "{0}")
        fun cases(): List<Case> = allCases().filter { it.rule in RULES }
    }
}
