/** Train a `.tflite` model on the user's device, in the browser. */

export type { Manifest } from '../../../contract/generated/contract.js';
export type { Label } from './data/tasks.js';
export * from './errors.js';
export type { FileContent } from './file_content.js';
export type { Image, Input } from './images/page_images.js';
export { PersonalModel } from './personal_model.js';
export type { Epoch, Evaluation, History, Prediction, Predictions } from './results/records.js';
export type { TrainingOptions } from './training/config.js';
export type { FitCallbacks, TrainingJob } from './training_job.js';
export type {
  ClassSummary,
  InputArray,
  ModelOptions,
  PredictionOptions,
  PredictionsOfInput,
  SampleOptions,
  StoredSample,
  Thumbnail,
} from './worker/messages.js';
