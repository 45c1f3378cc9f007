/** Adapt a checkpoint to a model of another capacity or with another optimizer. */

package org.sartor.saved

import kotlin.math.abs
import org.sartor.CheckpointError
import org.sartor.contract.Contract
import org.sartor.contract.Manifest
import org.sartor.contract.VariableSpec
import org.sartor.data.CLASSIFICATION
import org.sartor.data.volume
import org.sartor.litert.Variables

private const val LARGEST = 1e15f // its square still fits into float32
private const val LARGEST_FACTOR = 1e8f // of a classification: logits are products
private const val SMALLEST = 1e-15f // statistics divide

/**
 * A checkpoint in the shapes of a model.
 *
 * @property variables Name → value, of every variable of the model.
 * @property classes Class name of each class index; null for a free one.
 * @property classKeys Key of each class index; null for a free one.
 * @property notes Messages about the parts of the checkpoint that were dropped.
 */
internal class Adapted(
    val variables: Variables,
    val classes: List<String?>,
    val classKeys: List<String?>,
    val notes: List<String>,
)

/**
 * Adapt a checkpoint to a model.
 *
 * @param checkpoint checkpoint of the same base and head.
 * @param manifest manifest of the model.
 * @param initial initial values of the variables of the model.
 * @param name name of the checkpoint for messages.
 * @throws CheckpointError if the checkpoint belongs to another base or head, uses more classes than
 *   the capacity of the model, or lacks a tensor, or has one of another shape or with a value that
 *   no training gives.
 */
internal fun adapt(
    checkpoint: Checkpoint,
    manifest: Manifest,
    initial: Variables,
    name: String,
): Adapted {
    checkFingerprints(checkpoint, manifest, name)
    val classes = adaptClasses(checkpoint, manifest, name)
    val sameOptimizer = checkpoint.fingerprints.optimizer == manifest.fingerprints.optimizer
    val variables = manifest.variables.associate { spec ->
        val value = initial.getValue(spec.name)
        val isTaken = isTakenOver(spec, checkpoint, sameOptimizer)
        val adapted = if (isTaken) adaptVariable(spec, checkpoint, value, name) else value.copyOf()
        checkValues(spec, adapted, manifest.task, name)
        spec.name to adapted
    }
    checkMask(checkpoint, name)
    val mask = variables.getValue(Contract.MASK)
    classes.forEachIndexed { index, label -> if (label == null) mask[index] = 0f }
    val notes = if (sameOptimizer) {
        emptyList()
    } else {
        listOf("$name was trained with another optimizer: its optimizer state is dropped")
    }
    return Adapted(variables, classes, keysOf(classes, checkpoint, manifest), notes)
}

private fun checkFingerprints(checkpoint: Checkpoint, manifest: Manifest, name: String) {
    val (other, own) = checkpoint.fingerprints to manifest.fingerprints
    for ((part, theirs, ours) in listOf(
        Triple("base", other.base, own.base),
        Triple("head", other.head, own.head),
    )) {
        if (theirs != ours) {
            throw CheckpointError(
                "$name was saved from a model with another $part (${theirs.take(8)}, this " +
                    "model's is ${ours.take(8)}): load it into the model that it was trained " +
                    "with, or train again",
            )
        }
    }
}

/** Return the class names of the checkpoint, followed by those of the file. */
private fun adaptClasses(checkpoint: Checkpoint, manifest: Manifest, name: String): List<String?> {
    val classes = checkpoint.classes
    val capacity = manifest.classes.size
    val used = classes.indexOfLast { it != null } + 1
    if (used > capacity) {
        throw CheckpointError(
            "$name uses $used class indices, and the capacity of the model is $capacity: convert " +
                "the base again with --classes $used; the checkpoint stays valid",
        )
    }
    val others = manifest.classes.drop(classes.size)
    return classes.take(capacity) + others.map { label -> label.takeUnless { it in classes } }
}

private fun keysOf(
    classes: List<String?>,
    checkpoint: Checkpoint,
    manifest: Manifest,
): List<String?> {
    val keys = manifest.classes.zip(manifest.classKeys ?: manifest.classes).toMap() +
        checkpoint.classes.zip(checkpoint.classKeys)
    return classes.map { label -> label?.let(keys::get) }
}

/** Throw CheckpointError if a value would give outputs that are not numbers. */
private fun checkValues(spec: VariableSpec, value: FloatArray, task: String, name: String) {
    val largest = if (task == CLASSIFICATION) LARGEST_FACTOR else LARGEST
    val (expected, isValid) = when {
        spec.name == Contract.TEMPERATURE -> "1e-6 to 1e6" to { x: Float -> x in 1e-6f..1e6f }
        spec.name == Contract.WEIGHT_DECAY -> "0 to 1e6" to { x: Float -> x in 0f..1e6f }
        spec.role == Contract.STATISTIC -> "0, or $SMALLEST to $largest without its sign" to
            { x: Float -> x == 0f || abs(x) in SMALLEST..largest }
        else -> "at most $largest" to { x: Float -> abs(x) <= largest }
    }
    val wrong = value.firstOrNull { !isValid(it) } ?: return
    throw CheckpointError(
        "$name: ${spec.name} has the value $wrong, expected $expected: it is damaged. Use " +
            "another copy, or train again.",
    )
}

/** Throw CheckpointError if a class mask gives no probabilities. */
private fun checkMask(checkpoint: Checkpoint, name: String) {
    val mask = checkpoint.variables[Contract.MASK]?.data ?: FloatArray(0)
    fun isNamed(index: Int) = checkpoint.classes.getOrNull(index) != null
    val wrong = mask.indices.firstOrNull { mask[it] != 0f && (mask[it] != 1f || !isNamed(it)) }
    val problem = when {
        wrong != null -> {
            val expected = if (isNamed(wrong)) "0 or 1" else "0: the index is free"
            "has the value ${mask[wrong]} at $wrong, expected $expected"
        }
        checkpoint.classes.any { it != null } && mask.all { it == 0f } ->
            "is 0 for all classes, expected 1 for at least one"
        else -> return
    }
    throw CheckpointError(
        "$name: ${Contract.MASK} $problem. It is damaged. Use another copy, or train again.",
    )
}

/** Return whether a variable gets its value from the checkpoint, not its initial value. */
private fun isTakenOver(
    spec: VariableSpec,
    checkpoint: Checkpoint,
    sameOptimizer: Boolean,
): Boolean {
    if (spec.role == Contract.RANDOM_STATE && spec.name !in checkpoint.variables) {
        return false // the head had no dropout when the checkpoint was saved
    }
    return sameOptimizer || spec.role != Contract.OPTIMIZER_STATE
}

/** Return a tensor of the checkpoint, truncated or extended along its class axis. */
private fun adaptVariable(
    spec: VariableSpec,
    checkpoint: Checkpoint,
    initial: FloatArray,
    name: String,
): FloatArray {
    val axis = spec.classAxis
    val shape =
        spec.shape.mapIndexed { i, size -> if (i == axis) checkpoint.classes.size else size }
    val tensor = checkpoint.variables[spec.name]
    if (tensor == null || tensor.shape != shape) {
        val got = tensor?.shape?.toString() ?: "no such tensor"
        throw CheckpointError("$name: expected ${spec.name} as $shape, got $got: it is damaged")
    }
    if (axis == null) return tensor.data.copyOf()
    return resize(tensor.data, shape, initial, spec.shape, axis)
}

/** Return values with another size of an axis; added ones have their initial values. */
private fun resize(
    values: FloatArray,
    from: List<Int>,
    initial: FloatArray,
    to: List<Int>,
    axis: Int,
): FloatArray {
    val stride = volume(to.drop(axis + 1)) // between two classes
    val common = minOf(from[axis], to[axis]) * stride
    val result = initial.copyOf()
    for (block in 0 until initial.size / (to[axis] * stride)) {
        val start = block * from[axis] * stride
        values.copyInto(result, block * to[axis] * stride, start, start + common)
    }
    return result
}
