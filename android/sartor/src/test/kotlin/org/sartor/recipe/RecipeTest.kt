package org.sartor.recipe

import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.junit.runners.Parameterized
import org.junit.runners.Parameterized.Parameters

/**
 * The rules of docs/recipe.md: the vectors of `contract/recipe/`.
 *
 * Those that need a model run on the genuine Android library. `EvictTest` plays those of a full
 * store, on the platform's SQLite.
 */
@RunWith(Parameterized::class)
internal class RecipeTest(private val case: Case) {
    @Test
    fun computesTheOutputs() {
        val difference = difference(toValue(play()), case.outputs)
        assertTrue("difference $difference, at most ${case.tolerance}", difference <= case.tolerance)
    }

    private fun play(): Values {
        val rule = RULES[case.rule] ?: IMAGE_RULES[case.rule]
        if (rule != null) return rule(case.inputs)
        val model = openModel(case.inputs.text("model"))
        return model.engine.use { MODEL_RULES.getValue(case.rule)(model, case.inputs) }
    }

    companion object {
        @JvmStatic
        @Parameters(name = "{0}")
        fun cases(): List<Case> = allCases().filter { it.rule != "evict" }
    }
}
