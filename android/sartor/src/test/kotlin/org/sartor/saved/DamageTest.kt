package org.sartor.saved

import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.sartor.CheckpointError
import org.sartor.Input
import org.sartor.PersonalModel
import org.sartor.SartorError
import org.sartor.errorOf
import org.sartor.smallModel
import org.sartor.trainedModel
import org.sartor.withFlippedBit

/** Damaged projects and checkpoints are refused, and change nothing. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [34])
internal class DamageTest {
    private val probe = Input.ofValues(floatArrayOf(0.5f, 1f, 1.5f, 2f))

    private fun outputs(model: PersonalModel) =
        model.predictValues(probe) to model.predict(probe).inDistribution

    @Test
    fun aDamagedProjectChangesNothing() {
        trainedModel().use { model ->
            val project = ByteArrayOutputStream().also(model::exportProject).toByteArray()
            val expected = outputs(model)
            val refused = withFlippedBit(project, 5).take(60).count { damaged ->
                try {
                    model.importProject(ByteArrayInputStream(damaged))
                    false
                } catch (_: SartorError) {
                    true
                }
            }
            assertTrue("$refused", refused > 50)
            val truncated = project.copyOf(project.size / 2)
            for (content in listOf(ByteArray(0), truncated, smallModel().readBytes())) {
                errorOf<SartorError> { model.importProject(ByteArrayInputStream(content)) }
            }
            assertEquals(expected, outputs(model))
            assertEquals(18, model.samples().size)
        }
    }

    @Test
    fun aDamagedCheckpointChangesNothing() {
        trainedModel().use { model ->
            val content = ByteArrayOutputStream().also(model::saveCheckpoint).toByteArray()
            val expected = outputs(model)
            for (damaged in withFlippedBit(content, 6).take(100)) {
                try {
                    model.loadCheckpoint(ByteArrayInputStream(damaged))
                } catch (_: CheckpointError) {
                    // most are refused; a changed name of an app's key is not
                }
            }
            assertEquals(expected.first.values.toList(), outputs(model).first.values.toList())
            val other = PersonalModel.open(smallModel("several_labels"))
            val error =
                other.use {
                    errorOf<CheckpointError> { it.loadCheckpoint(ByteArrayInputStream(content)) }
                }
            assertTrue(error.message!!, "another head" in error.message!!)
        }
    }
}
