package org.sartor

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test

/** The options of a training. */
internal class TrainingOptionsTest {
    @Test
    fun aBuilderSetsTheOptionOfEachName() {
        val options = TrainingOptions.Builder().epochs(3).seconds(2.5).patience(4)
            .learningRate(0.1).weightDecay(0.0).decay(Decay.LINEAR).warmStart(true).seed(7).build()
        assertEquals(TrainingOptions(3, 2.5, 4, 0.1, 0.0, Decay.LINEAR, true, 7), options)
    }

    @Test
    fun defaultsAreThoseOfAClassCall() {
        assertEquals(TrainingOptions(), TrainingOptions.Builder().build())
    }

    @Test
    fun valuesOutOfRangeAreRefused() {
        val calls: List<Pair<String, () -> Any>> = listOf(
            "epochs must be a whole number, at least 1; got 0" to { TrainingOptions(epochs = 0) },
            "patience must be a whole number, at least 1; got -1" to
                { TrainingOptions(patience = -1) },
            "seed must be a whole number, at least 0; got -1" to { TrainingOptions(seed = -1) },
            "seconds must be a finite number above 0; got 0.0" to { TrainingOptions(seconds = 0.0) },
            "seconds must be a finite number above 0; got NaN" to
                { TrainingOptions(seconds = Double.NaN) },
            "learningRate must be a finite number, at least 0; got Infinity" to
                { TrainingOptions(learningRate = Double.POSITIVE_INFINITY) },
            "weightDecay must be a finite number, at least 0; got -1.0E-9" to
                { TrainingOptions(weightDecay = -1e-9) },
        )
        for ((message, call) in calls) {
            assertEquals(message, assertThrows(DataError::class.java) { call() }.message)
        }
    }
}
