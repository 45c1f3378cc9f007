package org.sartor.recipe

import org.sartor.Decay
import org.sartor.RandomNumbers
import org.sartor.confidence.HeldOutOutputs
import org.sartor.confidence.OODDetector
import org.sartor.confidence.assignValidationFolds
import org.sartor.confidence.crossValidate
import org.sartor.confidence.defaultTemperature
import org.sartor.confidence.expectedCalibrationError
import org.sartor.confidence.fitTemperature
import org.sartor.confidence.groupNearDuplicates
import org.sartor.contract.Manifest
import org.sartor.contract.StepSpec
import org.sartor.data.Dataset
import org.sartor.data.Matrix
import org.sartor.distinct
import org.sartor.indicesOf
import org.sartor.training.Control
import org.sartor.training.Schedule
import org.sartor.training.StageBasis
import org.sartor.training.Trainer
import org.sartor.training.WeightedRows
import org.sartor.training.batchesOf
import org.sartor.training.defaultRate
import org.sartor.training.trainingStages

/** The rules of the recipe that need no model: rule → function from inputs to outputs. */
internal val RULES: Map<String, (Values) -> Values> = mapOf(
    "random_numbers" to { x ->
        mapOf("numbers" to RandomNumbers(x.long("seed")).draw(x.int("count")))
    },
    "permutations" to { x ->
        val numbers = RandomNumbers(x.long("seed"))
        mapOf("permutations" to x.ints("counts").map(numbers::permutation))
    },
    "weights" to { x ->
        val data = dataset(x.text("task"), x)
        mapOf(
            "fractions" to data.fractions,
            "weights" to data.weights,
            "effective_samples" to data.effectiveSampleSize,
        )
    },
    "mixed_rows" to { x ->
        val data = dataset(x.text("task"), x)
        mapOf("rows" to data.mixedRows(x.int("batch_size"), x.long("seed")))
    },
    "batches" to ::batches,
    "rates" to ::rates,
    "stages" to ::stages,
    "groups" to { x ->
        val samples = x.ints("samples").map { it.toLong() }.toLongArray()
        val features = listOf(x.matrix("features"))
        mapOf("groups" to groupNearDuplicates(features, x.ints("classes"), samples))
    },
    "folds" to { x ->
        val classes = x.ints("classes")
        val data = dataset(classes, Matrix.filled(classes.size, x.int("features_per_row")))
        mapOf("folds" to assignValidationFolds(data, x.ints("groups"), x.long("seed")))
    },
    "temperature" to { x ->
        val samples = HeldOutCase(x).labelled
        mapOf("temperature" to fitTemperature(samples, x.number("prior")!!))
    },
    "default_temperature" to { x ->
        val before = x.number("temperature")!!
        mapOf("temperature" to defaultTemperature(x.matrix("outputs"), before))
    },
    "held_out_loss" to { x ->
        val case = HeldOutCase(x)
        mapOf("loss" to case.heldOut.loss(case.manifest, case.data))
    },
    "expected_accuracy" to ::expectedAccuracy,
    "detector" to ::detector,
)

private fun batches(x: Values): Values {
    val batches = batchesOf(x.int("rows"), x.int("batch_size"))
    val schedule = Schedule(x.int("epochs"), batches, 1.0, Decay.COSINE)
    val steps = record(x.int("rows"), x.int("batch_size"), x.long("seed"), schedule)
    return mapOf("epochs" to steps.rows.chunked(batches))
}

private fun rates(x: Values): Values {
    val schedule = Schedule(x.int("steps"), 1, x.number("peak")!!, Decay.COSINE)
    return mapOf("rates" to record(1, 1, 0, schedule).rates)
}

/** Train on rows whose feature is their number; return the steps. */
private fun record(rows: Int, size: Int, seed: Long, schedule: Schedule): StepRecorder {
    val manifest = manifestOf("classification", 1).copy(batchSize = size)
    val samples = dataset(IntArray(rows), Matrix(FloatArray(rows) { it.toFloat() }, 1))
    val recorder = StepRecorder(size)
    Trainer(recorder, manifest, samples, Control(), seed).run(schedule)
    return recorder
}

private fun stages(x: Values): Values {
    val manifest = manifestOfStages(x)
    val options = optionsOf(x.values("options"))
    val batches = x.records("first_batches").map { batch ->
        val rows = batch.list("rows").map { mapOf("row" to it).numbers("row") }
        WeightedRows(rows, batch.numbers("weights"))
    }
    val classes = x.int("classes")
    val rate = defaultRate(manifest, batches, classes, x.number("target_rms") ?: 1.0)
    val basis = StageBasis(
        x.int("rows"),
        x.number("effective_samples")!!,
        classes,
        options.learningRate ?: rate,
        options.learningRate == null,
        x["warm"] as Boolean? ?: false,
    )
    return mapOf(
        "stages" to trainingStages(manifest, options, basis).map { stage ->
            mapOf(
                "epochs" to stage.epochs,
                "batches" to stage.batches,
                "peak" to stage.peak,
                "weight_decay" to stage.weightDecay,
            )
        },
    )
}

private fun manifestOfStages(x: Values): Manifest {
    val fields = x.values("manifest")
    val base = manifestOf(fields.text("task"), x.int("classes"))
    val step = fields.values("optimizer").values("step")
    return base.copy(
        batchSize = fields.int("batch_size"),
        weightsPerOutput = fields.getValue("weights_per_output") as Boolean,
        head = base.head.copy(featureNorm = fields.values("head").number("feature_norm")),
        loss = base.loss.copy(curvature = fields.values("loss").number("curvature")!!),
        optimizer = base.optimizer.copy(
            step = StepSpec(
                step.getValue("adaptive") as Boolean,
                step.number("momentum")!!,
                step.getValue("nesterov") as Boolean,
                null,
            ),
        ),
    )
}

private fun expectedAccuracy(x: Values): Values {
    val folds = x.ints("folds")
    val case = HeldOutCase(x, folds)
    val outputs = x.matrix("outputs")
    val result = crossValidate(case.manifest, case.data, folds, case.heldOut, outputs)
    val samples = case.labelled
    return mapOf(
        "expected_accuracy" to result.accuracy,
        "calibration_error" to when {
            samples.isIndependent -> null
            else -> expectedCalibrationError(samples.outputs, samples.targets)
        },
    )
}

private fun detector(x: Values): Values {
    val outputs = x["outputs"]?.let { x.matrix("outputs") }
    val features = listOf(x.matrix("features"))
    val detector = OODDetector.fit(features, x.ints("classes"), x.ints("folds"), outputs)
    return mapOf(
        "detector" to detector?.let {
            mapOf(
                "prototypes" to it.prototypes.rows,
                "entropy_weight" to it.entropyWeight,
                "threshold" to it.threshold,
                "scores" to x.records("probes").map { probe -> scoreOf(it, probe) },
            )
        },
    )
}

/** Return the score of features and an output. */
internal fun scoreOf(detector: OODDetector, probe: Values): Double {
    val features = probe.floats("features")
    return detector.score(listOf(Matrix(features, features.size)), probe.floats("output"))
}

/** Outputs of a case, as those of held-out rows of some folds. Default: of one fold. */
private class HeldOutCase(x: Values, folds: IntArray? = null) {
    val data: Dataset = dataset(x.text("task"), x)
    val manifest: Manifest = manifestOf(x.text("task"), data.targets.columns)
    val heldOut: HeldOutOutputs = HeldOutOutputs(data)
    val labelled get() = heldOut.labelled(manifest, data)

    init {
        val outputs = x.matrix("outputs")
        val assigned = folds ?: IntArray(data.rows)
        for (fold in distinct(assigned).filter { it >= 0 }) {
            val rows = indicesOf(assigned.size) { assigned[it] == fold }
            heldOut.set(fold, rows, outputs.take(rows))
        }
    }
}
