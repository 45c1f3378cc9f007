/**
 * The errors of Sartor.
 *
 * All are a `SartorError`, so that an app can distinguish invalid input from a defect in Sartor. A
 * message states the actual value, the expected one, and the next step.
 */

/** The causes of errors that an app may want to explain in its own words. */
export type ErrorCode =
  /** Another tab has the model open (StoreError). */
  | 'open-elsewhere'
  /** The storage of the browser is full, or cannot be written (StoreError). */
  | 'storage-full'
  /** The browser offers no storage (StoreError). */
  | 'no-storage'
  /** A file belongs to a model with another base or head (CheckpointError, StoreError). */
  | 'other-model'
  /** Another version of Sartor wrote a file. */
  | 'other-version'
  /** A file is not a project, or is damaged (DataError). */
  | 'not-a-project'
  /** An input is not an image that the browser can decode (DataError). */
  | 'not-an-image'
  /** The sample is stored with another label (DataError). */
  | 'other-label'
  /** The classes exceed the capacity of the model (DataError, CheckpointError). */
  | 'no-free-class'
  /** A text cannot be the name of a class (DataError). */
  | 'not-a-name'
  /** Another class has the name (DataError). */
  | 'name-in-use'
  /** The model has too few classes for a plain classifier (DataError). */
  | 'too-few-classes'
  /** The worker has ended, so that the model must be opened again (SartorError). */
  | 'ended';

/** The base class of all errors of Sartor. */
export class SartorError extends Error {
  override readonly name: string = 'SartorError';

  /** The cause; undefined if no app needs to distinguish it. */
  readonly code: ErrorCode | undefined;

  /**
   * @param message - actual value, expected value, and next step, in English.
   * @param code - see `SartorError.code`.
   */
  constructor(message: string, code?: ErrorCode) {
    super(message);
    this.code = code;
  }
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
