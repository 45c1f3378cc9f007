package org.sartor.training

import org.sartor.ClassWeights
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.data.Batch
import org.sartor.data.Dataset
import org.sartor.data.EvaluatedBatches
import org.sartor.data.REGRESSION
import org.sartor.data.evaluateBatches
import org.sartor.data.trainingDataset
import org.sartor.indicesOf
import org.sartor.litert.Engine
import org.sartor.litert.Variables
import org.sartor.store.SampleSet
import org.sartor.store.readRows

/**
 * A second copy of a model, which only training uses.
 *
 * @property engine engine of its own.
 * @property manifest manifest of the model.
 */
internal class TrainingModel(val engine: Engine, val manifest: Manifest) : AutoCloseable {
    /** Sets the weights of classes in [engine]. */
    val classWeights: ClassWeights = ClassWeights(engine, manifest)

    private val batch = Batch(manifest)

    /** The initial variables without classes: a file may have trained ones. */
    val untrained: Variables = untrainedVariables()

    /** Return samples as a data set of the model. */
    fun dataset(data: TrainingData, samples: SampleSet): Dataset =
        trainingDataset(manifest, samples, data.classIndices)

    /** Return the training samples, and prototypes for the classes that have none. */
    fun trainingSamples(data: TrainingData): Dataset {
        val samples = dataset(data, data.samples)
        if (data.absent.isEmpty() || data.detector == null) return samples
        val absent = data.absent.map { data.classIndices.getValue(it) }.toSet()
        return addPrototypes(manifest, samples, data.detector, absent)
    }

    /** Return the mean loss and the outputs [N, C] of samples. */
    fun evaluate(samples: Dataset): EvaluatedBatches = evaluateBatches(engine, batch, samples)

    /**
     * Set the weights that a training starts from.
     *
     * Continuing from old weights while samples come in costs up to three points of accuracy, so
     * all classes are imprinted, unless the training is a warm start.
     *
     * @param data the weights in use, and whether the training continues from them.
     * @param samples training samples.
     * @param mixed some of them, of all classes, at most B rows.
     */
    fun start(data: TrainingData, samples: Dataset, mixed: Dataset) {
        normalize(data, mixed)
        if (data.isWarm) return
        for (index in data.classIndices.values) {
            val rows = rowsOfClass(samples, index)
            if (rows.isNotEmpty()) {
                classWeights.imprint(index, readRows(samples.features, rows))
            }
        }
    }

    /**
     * Remove all classes and compute the normalization statistics, unless it is a warm start.
     *
     * @param data the weights in use, and whether the training continues from them.
     * @param mixed samples of all classes, at most B rows.
     */
    fun normalize(data: TrainingData, mixed: Dataset) {
        engine.restore(if (data.isWarm) data.variables else untrained)
        if (!data.isWarm) classWeights.setNormalization(mixed.features)
    }

    /** Return the present weights, with the temperature before the training. */
    fun variables(data: TrainingData): Variables {
        val temperature = data.variables.getValue(Contract.TEMPERATURE)
        return engine.variables() + (Contract.TEMPERATURE to temperature)
    }

    /** Release the memory. */
    override fun close(): Unit = engine.close()

    private fun untrainedVariables(): Variables {
        engine.run("initialize", mapOf(Contract.RUN to floatArrayOf(1f)))
        classWeights.areZero().forEachIndexed { index, isZero ->
            if (!isZero) classWeights.clear(index)
        }
        return engine.variables() + mapOf(
            Contract.MASK to FloatArray(manifest.classes.size),
            Contract.TEMPERATURE to floatArrayOf(1f),
        )
    }

    /** Return the first B rows with a target above 0 for a class, or with any for a regression. */
    private fun rowsOfClass(samples: Dataset, index: Int): IntArray {
        val matrix = if (manifest.task == REGRESSION) samples.weights else samples.targets
        val rows = indicesOf(samples.rows) { matrix[it, index] > 0 }
        return rows.copyOf(minOf(rows.size, manifest.batchSize))
    }
}
