/** Checks that the parts of a manifest do not contradict each other. */

package org.sartor.contract

import org.sartor.data.numbered

/** Tasks in which a sample has a weight for each output. */
private val WEIGHTS_PER_OUTPUT = setOf("multi_label", "regression")

/** Numbers of channels of an image input. */
private val CHANNELS = listOf(1, 3)

/** Return the first contradiction in a manifest, in words, or null. */
internal fun contradiction(manifest: Manifest): String? {
    val checks = listOf(::emptyList, ::wrongName, ::wrongTraining, ::wrongVariable, ::wrongInput)
    return checks.firstNotNullOfOrNull { it(manifest) }
}

/** Return whether each class has a key of its own, and each free class index has none. */
internal fun areClassKeys(keys: List<String?>, classes: List<String?>): Boolean {
    val used = keys.filterNotNull()
    return keys.size == classes.size &&
        keys.indices.all { (keys[it] == null) == (classes[it] == null) } &&
        used.toSet().size == used.size
}

private fun emptyList(manifest: Manifest): String? {
    val lists = mapOf(
        Keys.INPUTS to manifest.inputs,
        Keys.FEATURES to manifest.features,
        Keys.CLASSES to manifest.classes,
    )
    return lists.entries.firstOrNull { it.value.isEmpty() }?.let { "${it.key} is empty" }
}

private fun wrongName(manifest: Manifest): String? {
    manifest.features.forEachIndexed { i, (name) ->
        if (name != numbered(Contract.FEATURES, i)) return "features $i is named '$name'"
    }
    val lists = mapOf(
        Keys.INPUTS to manifest.inputs.map { it.name },
        Keys.VARIABLES to manifest.variables.map { it.name },
    )
    for ((key, names) in lists) {
        if (names.toSet().size != names.size) return "two of the $key have the same name"
    }
    val isValid = areClassKeys(manifest.classKeys ?: manifest.classes, manifest.classes)
    return if (isValid) null else "class_keys has not one key for each class"
}

private fun wrongTraining(manifest: Manifest): String? {
    val first = manifest.optimizer.step.first
    val momentum = manifest.optimizer.step.momentum
    return when {
        (manifest.task in WEIGHTS_PER_OUTPUT) != manifest.weightsPerOutput ->
            "weights_per_output is wrong for the task '${manifest.task}'"
        manifest.loss.curvature <= 0 ->
            "the curvature of the loss is ${manifest.loss.curvature}, not above 0"
        momentum < 0 || momentum >= 1 ->
            "the momentum of the optimizer is $momentum, not between 0 and 1"
        first != null && (first.factor <= 0 || first.power !in 1..2) ->
            "the first step of the optimizer has a wrong factor or power"
        else -> null
    }
}

private fun wrongVariable(manifest: Manifest): String? {
    val capacity = manifest.classes.size
    val shapes = manifest.variables.associate { it.name to it.shape }
    val sizes = mapOf(
        Contract.MASK to capacity,
        Contract.TEMPERATURE to 1,
        Contract.WEIGHT_DECAY to 1,
    )
    for ((name, size) in sizes) {
        if (shapes[name] != listOf(size)) return "there is no variable '$name' of shape [$size]"
    }
    for (spec in manifest.variables) {
        if (spec.classAxis != null && spec.shape.getOrNull(spec.classAxis) != capacity) {
            return "'${spec.name}' of shape ${spec.shape} has no class axis ${spec.classAxis}"
        }
        if (spec.parameter != null && spec.parameter !in shapes) {
            return "'${spec.name}' belongs to '${spec.parameter}', which does not exist"
        }
    }
    return null
}

private fun wrongInput(manifest: Manifest): String? {
    val wrong = manifest.inputs.firstOrNull { it.modality == Contract.IMAGE && !isImage(it) }
    return wrong?.let { "its shape ${it.shape}, mean and std do not fit an image" }
}

private fun isImage(spec: InputSpec): Boolean {
    val channels = spec.shape.getOrNull(3)
    return spec.shape.size == 4 &&
        channels in CHANNELS &&
        listOf(spec.mean, spec.std).all { it.size == 1 || it.size == channels } &&
        spec.std.all { it > 0 }
}
