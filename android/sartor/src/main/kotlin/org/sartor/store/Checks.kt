/** Checks of labels, targets and images, before the store is changed. */

package org.sartor.store

import org.sartor.DataError
import org.sartor.contract.Contract
import org.sartor.contract.hasLoneSurrogate
import org.sartor.data.CLASSIFICATION
import org.sartor.data.MULTI_LABEL

/** Throw DataError if a label cannot be the name of a class. */
internal fun checkLabel(label: String) {
    val isName = label.isNotBlank() &&
        label.codePointCount(0, label.length) <= Contract.STORE_MAX_LABEL &&
        !hasLoneSurrogate(label)
    if (!isName) {
        throw DataError(
            "a label must be the name of a class, such as 'hat', of at most " +
                "${Contract.STORE_MAX_LABEL} characters; got '${label.take(80)}'",
        )
    }
}

/** Throw DataError if targets (class name → target) do not fit the task. */
internal fun checkTargets(task: String, targets: Map<String, Double>) {
    targets.keys.forEach(::checkLabel)
    val values = targets.values
    if (values.isEmpty()) {
        throw DataError("a sample needs a target: a map class name → value; got none")
    }
    if (!values.all(Double::isFinite)) {
        throw DataError("targets must be finite numbers; got $targets")
    }
    if (task == CLASSIFICATION && (values.size != 1 || values.first() != 1.0)) {
        throw DataError("a sample of this model has one class, with target 1; got $targets")
    }
    if (task == MULTI_LABEL && !values.all { it in 0.0..1.0 }) {
        throw DataError("the target of a label must be 0 to 1; got $targets")
    }
}

/** Throw DataError if an image is too large. */
internal fun checkImage(kind: String, data: ByteArray) {
    if (data.size > Contract.STORE_MAX_IMAGE_BYTES) {
        throw DataError(
            "the $kind has ${data.size} bytes; at most ${Contract.STORE_MAX_IMAGE_BYTES} can " +
                "be stored",
        )
    }
}
