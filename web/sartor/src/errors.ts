/**
 * The errors of Sartor.
 *
 * All are a `SartorError`, so that an app can distinguish invalid input from a defect in Sartor. A
 * message states the actual value, the expected one, and the next step.
 */

/** The base class of all errors of Sartor. */
export class SartorError extends Error {
  override readonly name: string = 'SartorError';
}

/** A file is not a `.tflite` model, or is damaged, so that LiteRT.js must not load it. */
export class InvalidModelError extends SartorError {
  override readonly name: string = 'InvalidModelError';
}

/** A model does not fulfill the contract of a personalizable file. */
export class NotPersonalizableError extends SartorError {
  override readonly name: string = 'NotPersonalizableError';
}

/** An argument is invalid: a sample, label, array, file or option. */
export class DataError extends SartorError {
  override readonly name: string = 'DataError';
}

/** A checkpoint is damaged or belongs to another model. */
export class CheckpointError extends SartorError {
  override readonly name: string = 'CheckpointError';
}

/** A sample store is damaged, is in use, or has features of another base. */
export class StoreError extends SartorError {
  override readonly name: string = 'StoreError';
}

/** A training diverged, so that the weights before it stay; or another training is running. */
export class TrainingError extends SartorError {
  override readonly name: string = 'TrainingError';
}
