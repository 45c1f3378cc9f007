package org.sartor.recipe

import java.io.File
import org.sartor.Depth
import org.sartor.History
import org.sartor.ModelState
import org.sartor.TrainingOptions
import org.sartor.confidence.OODDetector
import org.sartor.contract.Manifest
import org.sartor.data.Matrix
import org.sartor.data.REGRESSION
import org.sartor.data.volume
import org.sartor.indicesOf
import org.sartor.litert.Engine
import org.sartor.litert.RuntimeEngine
import org.sartor.litert.TfliteRuntime
import org.sartor.litert.Variables
import org.sartor.litert.checkModelFile
import org.sartor.litert.mapFile
import org.sartor.store.SampleSet
import org.sartor.training.Control
import org.sartor.training.StagedTraining
import org.sartor.training.TrainingData
import org.sartor.training.TrainingModel
import org.sartor.training.createTrainingData
import org.sartor.training.trainModel

/** A fresh copy of a model of the vectors. */
internal class OpenModel(val engine: Engine, val manifest: Manifest)

/** Open a model of `contract/recipe/`. */
internal fun openModel(name: String): OpenModel {
    val file = checkModelFile(mapFile(File(ROOT, "contract/recipe/$name")), name)
    return OpenModel(RuntimeEngine(file, TfliteRuntime()), file.manifest)
}

/** The rules of the recipe that need a model: rule → function from inputs to outputs. */
internal val MODEL_RULES: Map<String, (OpenModel, Values) -> Values> = mapOf(
    "imprint" to { model, x ->
        mapOf("variables" to stateWith(model, samplesOf(model, x)).engine.variables())
    },
    "start" to { model, x ->
        val training = prepare(model, x)
        training.start()
        mapOf("variables" to model.engine.variables(), "peaks" to training.stages.map { it.peak })
    },
    "first_stage" to { model, x ->
        prepare(model, x).run()
        mapOf("variables" to model.engine.variables())
    },
    "search_rate" to { model, x -> mapOf("peak" to prepare(model, x).stages.first().peak) },
    "fit" to ::fit,
    "fit_layers" to ::fitLayers,
    "continue" to ::continueTraining,
)

private fun fit(model: OpenModel, x: Values): Values {
    val samples = samplesOf(model, x)
    val state = stateWith(model, samples)
    val result = fit(model, state, samples, options(x))
    val variables = state.engine.variables()
    val names = (x["compared"] as List<*>?) ?: variables.keys.toList()
    return mapOf(
        "variables" to variables.filterKeys { it in names },
        "expected_accuracy" to result.history.expectedAccuracy,
        "calibration_error" to result.history.calibrationError,
        "detector" to result.detector?.let { decisions(it, samples, x.matrix("probes")) },
    )
}

private fun fitLayers(model: OpenModel, x: Values): Values {
    val samples = samplesOf(model, x)
    val state = stateWith(model, samples)
    val depth = Depth.valueOf((x["depth"] as String).uppercase())
    val result = fit(model, state, samples, options(x).copy(depth = depth))
    return mapOf(
        "depth" to result.history.depth.name.lowercase(),
        "steps" to result.history.steps,
        "expected_accuracy" to result.history.expectedAccuracy,
        "calibration_error" to result.history.calibrationError,
        "variables" to state.engine.variables(),
        "detector" to result.detector?.let {
            mapOf("entropy_weight" to it.entropyWeight, "threshold" to it.threshold)
        },
    )
}

private fun continueTraining(model: OpenModel, x: Values): Values {
    val first = samplesOf(model, x.values("first"))
    val state = stateWith(model, first)
    fit(model, state, first, options(x))

    val second = ModelState(model.engine.copy(), model.manifest)
    second.load(state.checkpoint(), "the checkpoint")
    second.keepLoadedWeights()
    val samples = samplesOf(model, x)
    addSamples(second, model.manifest, samples)
    val snapshot = second.beginTraining()
    val scores = x.records("probes").map { probe -> snapshot.detector?.let { scoreOf(it, probe) } }
    fit(model, second, samples, options(x).copy(warmStart = true))
    val variables = second.engine.variables()
    second.close()
    return mapOf(
        "added" to mapOf("variables" to snapshot.variables, "scores" to scores),
        "variables" to variables,
    )
}

private fun prepare(model: OpenModel, x: Values): StagedTraining {
    val samples = samplesOf(model, x)
    val data = dataOf(model, stateWith(model, samples), samples, options(x))
    val copy = TrainingModel(model.engine, model.manifest)
    return StagedTraining(copy, options(x), data, Control())
}

private class FitResult(val history: History, val detector: OODDetector?)

/** Train and publish into a state. */
private fun fit(
    model: OpenModel,
    state: ModelState,
    samples: SampleSet,
    options: TrainingOptions,
): FitResult {
    val data = dataOf(model, state, samples, options)
    var detector: OODDetector? = null
    val publish = { variables: Variables, published: OODDetector? ->
        detector = published
        state.publish(variables, published)
    }
    val history = TrainingModel(model.engine.copy(), model.manifest).use {
        trainModel(it, options, data, Control(), publish)
    }
    return FitResult(history, detector)
}

/** Return a new state to which samples were added. */
private fun stateWith(model: OpenModel, samples: SampleSet): ModelState {
    val state = ModelState(model.engine, model.manifest)
    addSamples(state, model.manifest, samples)
    return state
}

private fun addSamples(state: ModelState, manifest: Manifest, samples: SampleSet) {
    samples.classes.forEachIndexed { column, name ->
        val rows = indicesOf(samples.targets.rows) { row ->
            val target = samples.targets[row, column]
            if (manifest.task == REGRESSION) !target.isNaN() else target > 0
        }
        state.addSample(name, samples.take(rows).features.takeIf { rows.isNotEmpty() })
    }
}

private fun dataOf(
    model: OpenModel,
    state: ModelState,
    samples: SampleSet,
    options: TrainingOptions,
): TrainingData {
    val none = samples.take(IntArray(0))
    return createTrainingData(model.manifest, options, state.beginTraining(), samples, none)
}

/** Return the samples of a case; names are those of the file, or `class 0`, `class 1`, …. */
private fun samplesOf(model: OpenModel, x: Values): SampleSet {
    val set = sampleSet(x, model.manifest.features.map { volume(it.shape) })
    val names = set.classes.mapIndexed { i, name -> model.manifest.classes[i] ?: name }
    return SampleSet(set.features, set.samples, set.targets, names)
}

private fun options(x: Values): TrainingOptions {
    val seed = if ("seed" in x) x.long("seed") else 0
    return optionsOf(if ("options" in x) x.values("options") else emptyMap(), seed)
}

private fun decisions(detector: OODDetector, samples: SampleSet, probes: Matrix): Values = mapOf(
    "entropy_weight" to detector.entropyWeight,
    "threshold" to detector.threshold,
    "decisions" to probes.indices.map { row ->
        val features = samples.features.map { it.take(intArrayOf(row)) }
        detector.isInDistribution(features, probes.row(row))
    },
)
