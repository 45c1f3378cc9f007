/** Checkpoints: safetensors files with the state of a trained model. */

package org.sartor.saved

import java.nio.ByteBuffer
import org.json.JSONArray
import org.json.JSONObject
import org.sartor.CheckpointError
import org.sartor.contract.Contract
import org.sartor.contract.Fields
import org.sartor.contract.Fingerprints
import org.sartor.contract.FloatTensors
import org.sartor.contract.Keys
import org.sartor.contract.Safetensors
import org.sartor.contract.SafetensorsError
import org.sartor.contract.areClassKeys
import org.sartor.contract.checkpointDigest
import org.sartor.contract.parseFingerprints
import org.sartor.contract.readSafetensors
import org.sartor.contract.writeSafetensors

private const val DAMAGED = "Use another copy, or train again."

/**
 * The content of a checkpoint.
 *
 * @property classes Class name of each class index, C in all; null for a free one.
 * @property classKeys Key of each class index; null for a free one.
 * @property fingerprints Fingerprints of the model that it was saved from.
 * @property variables The variables, as the signature `save` returns them.
 * @property imprinted Names of the classes that were imprinted and not trained.
 * @property samplesSeen Number of samples added before it was saved.
 * @property oodThreshold OOD score below which an input is "none of these"; null without a
 *   detector.
 * @property ood Tensors of the OOD detector; names start with `ood/`.
 * @property app Tensors of the app; names start with `app/`. Sartor does not change them.
 */
internal class Checkpoint(
    val classes: List<String?>,
    val classKeys: List<String?>,
    val fingerprints: Fingerprints,
    val variables: FloatTensors,
    val imprinted: List<String>,
    val samplesSeen: Int,
    val oodThreshold: Double?,
    val ood: FloatTensors,
    val app: FloatTensors,
)

/**
 * Return a checkpoint as the content of a file.
 *
 * @throws CheckpointError if a variable is not finite.
 */
internal fun writeCheckpoint(checkpoint: Checkpoint): ByteArray {
    checkFinite("the checkpoint", checkpoint.variables)
    val own = checkpoint.variables + checkpoint.ood
    val header = JSONObject()
        .put(Keys.CONTRACT, Contract.VERSION)
        .put(Keys.FINGERPRINTS, fingerprintsOf(checkpoint.fingerprints))
        .put(Keys.CLASSES, arrayOf(checkpoint.classes))
        .put(Keys.CLASS_KEYS, arrayOf(checkpoint.classKeys))
        .put(Keys.IMPRINTED, arrayOf(checkpoint.imprinted))
        .put(Keys.SAMPLES_SEEN, checkpoint.samplesSeen)
        .put(Keys.OOD_THRESHOLD, checkpoint.oodThreshold ?: JSONObject.NULL)
        .put(Keys.DIGEST, digestOf(own, checkpoint.classes, checkpoint.classKeys))
    return writeSafetensors(
        Safetensors(own + checkpoint.app, mapOf(Contract.HEADER_KEY to header.toString())),
    )
}

/**
 * Read a checkpoint; see [adapt] for loading it into a model.
 *
 * @param content content of the file.
 * @param name name of the file, for messages.
 * @throws CheckpointError if the file is not a checkpoint, is damaged, belongs to another version
 *   of the contract, or has a value that is not finite.
 */
internal fun readCheckpoint(content: ByteBuffer, name: String): Checkpoint {
    val file = parse(content, name)
    val text = file.metadata[Contract.HEADER_KEY] ?: throw CheckpointError(
        "$name is a safetensors file, but not a checkpoint of Sartor: its header has no " +
            "'${Contract.HEADER_KEY}'. Give a file from saveCheckpoint, or from `sartor fit`.",
    )
    val fields = Fields.parse(text, "$name: its header", ::CheckpointError)
    checkVersion(fields, name)
    val tensors = file.tensors
    val checkpoint = Checkpoint(
        classes = fields.optionalStrings(Keys.CLASSES),
        classKeys = fields.optionalStrings(Keys.CLASS_KEYS),
        fingerprints = parseFingerprints(fields.fields(Keys.FINGERPRINTS)),
        variables = tensors.filterKeys { !isOod(it) && !isApp(it) },
        imprinted = fields.strings(Keys.IMPRINTED),
        samplesSeen = fields.int(Keys.SAMPLES_SEEN, 0),
        oodThreshold = fields.optionalNumber(Keys.OOD_THRESHOLD),
        ood = tensors.filterKeys(::isOod),
        app = tensors.filterKeys(::isApp),
    )
    checkClasses(name, checkpoint)
    val own = tensors.filterKeys { !isApp(it) }
    checkFinite(name, own)
    if (fields.string(Keys.DIGEST) != digestOf(own, checkpoint.classes, checkpoint.classKeys)) {
        throw CheckpointError("$name is damaged: its digest is that of other values. $DAMAGED")
    }
    return checkpoint
}

/** Return a list as JSON, with its nulls. */
internal fun arrayOf(values: List<String?>): JSONArray =
    JSONArray(values.map { it ?: JSONObject.NULL })

private fun parse(content: ByteBuffer, name: String): Safetensors = try {
    readSafetensors(content)
} catch (error: SafetensorsError) {
    throw CheckpointError("$name is not a checkpoint, or is damaged: ${error.message}. $DAMAGED")
}

private fun checkVersion(fields: Fields, name: String) {
    val version = fields.int(Keys.CONTRACT)
    if (version != Contract.VERSION) {
        throw CheckpointError(
            "$name has contract version $version, expected ${Contract.VERSION}: another version " +
                "of Sartor wrote it. Update Sartor.",
        )
    }
}

private fun fingerprintsOf(fingerprints: Fingerprints): JSONObject = JSONObject()
    .put(Keys.BASE, fingerprints.base)
    .put(Keys.HEAD, fingerprints.head)
    .put(Keys.OPTIMIZER, fingerprints.optimizer)

private fun digestOf(tensors: FloatTensors, classes: List<String?>, keys: List<String?>): String =
    checkpointDigest(tensors.mapValues { it.value.data }, classes, keys)

private fun isOod(name: String): Boolean = name.startsWith(Contract.OOD_PREFIX)

private fun isApp(name: String): Boolean = name.startsWith(Contract.APP_PREFIX)

private fun checkClasses(name: String, checkpoint: Checkpoint) {
    val names = checkpoint.classes.filterNotNull()
    if (checkpoint.classes.isEmpty() || names.toSet().size != names.size || "" in names) {
        throw CheckpointError("$name: class names must be unique and not empty, got $names")
    }
    if (!areClassKeys(checkpoint.classKeys, checkpoint.classes)) {
        throw CheckpointError("$name: each class needs a key of its own. $DAMAGED")
    }
}

private fun checkFinite(name: String, tensors: FloatTensors) {
    for ((key, tensor) in tensors) {
        if (!tensor.data.all(Float::isFinite)) {
            throw CheckpointError("$name: $key has values that are not finite. $DAMAGED")
        }
    }
}
