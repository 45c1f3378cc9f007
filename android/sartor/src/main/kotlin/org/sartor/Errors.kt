package org.sartor

/**
 * The base class of all errors of Sartor, so that an app can distinguish invalid input from a
 * defect.
 *
 * A message states the actual value, the expected one, and the next step.
 */
public open class SartorError(message: String, cause: Throwable? = null) :
    RuntimeException(message, cause)

/** A file is not a `.tflite` model, or is damaged, so that LiteRT must not load it. */
public class InvalidModelError(message: String, cause: Throwable? = null) :
    SartorError(message, cause)

/** A model does not fulfill the contract of a personalizable file. */
public class NotPersonalizableError(message: String) : SartorError(message)

/** An argument is invalid: a sample, label, array, file or option. */
public class DataError(message: String, cause: Throwable? = null) : SartorError(message, cause)

/** A checkpoint is damaged or belongs to another model. */
public class CheckpointError(message: String, cause: Throwable? = null) :
    SartorError(message, cause)

/** A sample store is damaged, is in use, or has features of another base. */
public class StoreError(message: String, cause: Throwable? = null) : SartorError(message, cause)

/** The storage is full, or a file cannot be read or written; nothing was changed. */
public class StorageError(message: String, cause: Throwable? = null) : SartorError(message, cause)

/** A training diverged, so that the weights before it stay; or another training is running. */
public class TrainingError(message: String) : SartorError(message)
