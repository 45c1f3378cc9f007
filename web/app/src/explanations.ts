/** Plain sentences for the errors of the library, by their code or their class. */

import { type ErrorCode, SartorError } from 'sartor';

const BY_CODE: Readonly<Record<ErrorCode, string>> = {
  'open-elsewhere': 'It is open in another tab. Close it there, and try again.',
  'storage-full':
    'The storage of this browser is full. Delete samples here or data of other sites, and try again.',
  'no-storage':
    'This browser stores nothing for this page. Allow it to, or open the page in a window that is not private.',
  'other-model': 'It belongs to another model. Open the model that it was made with first.',
  'other-version': 'Another version of Sartor wrote it. Update this app, or write the file again.',
  'not-a-project': 'It is not a project, or it is damaged. Use another copy.',
  'not-an-image': 'It is not an image that this browser reads, or it is damaged. Use JPEG or PNG.',
  'other-label': 'The same image is a sample of another class. Delete it there first.',
  'no-free-class': 'It has more classes than the base has room for.',
  'not-a-name': 'The name of a class is one line of at most 1000 characters.',
  'name-in-use': 'Another class has this name. Choose another one.',
  'too-few-classes': 'A classifier needs two classes with samples.',
  ended: 'The model has stopped. Reload the page; your samples are saved.',
};

/** Name of an error of the library → sentence, for errors without a code. */
const BY_NAME: Readonly<Record<string, string>> = {
  InvalidModelError: 'It is not a .tflite model, or it is damaged. Use another copy.',
  NotPersonalizableError:
    'It contains no training for this app, or its end is missing. Open a file that `sartor convert` wrote.',
  CheckpointError: 'It is not a checkpoint, or it is damaged. Use another copy.',
  StoreError: 'The stored samples cannot be read. Open a project that you saved.',
  TrainingError: 'The loss rose, so the model stays as it was. Try a lower learning rate.',
  DataError: 'Something about it does not fit the model.',
};

const OTHER = 'Reload the page, and try again.';

/** Return a sentence that says why something failed, and what to do. */
export function explain(error: unknown): string {
  if (error instanceof DOMException && error.name === 'SecurityError') {
    return BY_CODE['no-storage'];
  }
  if (!(error instanceof SartorError)) {
    return OTHER;
  }
  return (error.code && BY_CODE[error.code]) ?? BY_NAME[error.name] ?? OTHER;
}
