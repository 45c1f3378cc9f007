/** The model on the page: add samples, train, predict, save. A worker computes. */

import type { Manifest } from '../../../contract/generated/contract.js';
import type { Label } from './data/tasks.js';
import { buffer, type FileContent, isUrl } from './file_content.js';
import { deliver, type Input } from './images/page_images.js';
import { ModelFiles } from './model_files.js';
import type { Evaluation } from './results/records.js';
import { deleteStorage } from './store/storage_folder.js';
import type { TrainingOptions } from './training/config.js';
import { type FitCallbacks, TrainingJob } from './training_job.js';
import { WorkerClient } from './worker/client.js';
import type {
  ClassSummary,
  ModelOptions,
  Opened,
  PredictionOptions,
  PredictionsOfInput,
  SampleOptions,
  StoredSample,
  Thumbnail,
} from './worker/messages.js';

/**
 * A personalizable file that learns classes from samples in this browser.
 *
 * All computing runs in a worker of its own, and predictions continue to work during training, with
 * the last published weights. Samples and the checkpoint are stored in the browser and saved by
 * themselves: a model that is opened again continues where it was. A method that rejects has changed
 * nothing.
 */
export class PersonalModel extends ModelFiles {
  /** The manifest of the file. */
  readonly manifest: Manifest;

  /** Name of the storage in this browser. */
  readonly name: string;

  /** Messages about saved parts that do not fit the model, or are damaged, at the opening. */
  readonly notes: readonly string[];

  private constructor(client: WorkerClient, { manifest, name, notes }: Opened) {
    super(client);
    this.manifest = manifest;
    this.name = name;
    this.notes = notes;
  }

  /**
   * Open a personalizable file, with its samples and its checkpoint in this browser.
   *
   * @param source - URL (relative to the page) or content of a file; `sartor convert` writes one.
   * @param options - see `ModelOptions`.
   * @throws InvalidModelError if the file cannot be loaded, is not a model, or is damaged.
   * @throws NotPersonalizableError if the model cannot be trained, or not by this version.
   * @throws StoreError if the model is open in another tab, if the browser has no storage, or if
   *   the stored samples are damaged or of another base.
   * @throws DataError if an option is out of range, or the samples have more classes than the
   *   capacity of the model.
   */
  static async open(
    source: string | URL | FileContent,
    options: ModelOptions = {},
  ): Promise<PersonalModel> {
    const client = WorkerClient.start();
    const { runtime = 'litert/', ...rest } = options;
    const content = isUrl(source) ? new URL(source, document.baseURI).href : buffer(source);
    try {
      const url = new URL(runtime, document.baseURI).href;
      return new PersonalModel(client, await client.call('open', [content, url, rest]));
    } catch (error) {
      client.terminate('the model was not opened');
      throw error;
    }
  }

  /**
   * Return the model file of a project: open it to import a project of another base.
   *
   * @throws DataError if the file is not a project, or is damaged.
   */
  static async modelOfProject(content: FileContent): Promise<Uint8Array> {
    const client = WorkerClient.start();
    try {
      return await client.call('modelOfProject', [buffer(content)]);
    } finally {
      client.terminate('the project was read');
    }
  }

  /**
   * Delete the samples and the checkpoint of a model in this browser.
   *
   * @param name - name of the storage.
   * @throws StoreError if a tab has the model open.
   */
  static deleteStorage(name: string): Promise<void> {
    return deleteStorage(name);
  }

  /** Largest number of classes. */
  get capacity(): number {
    return this.manifest.classes.length;
  }

  /** Return the classes (of a regression, its values) by class index; then those without sample. */
  classes(): Promise<readonly ClassSummary[]> {
    return this.client.call('classes', []);
  }

  /** Return all samples, in the order in which they were added. */
  samples(): Promise<readonly StoredSample[]> {
    return this.client.call('samples', []);
  }

  /**
   * Return stored thumbnails, in the order in which their samples were added.
   *
   * @param label - name of a class. Default: all classes.
   * @param limit - largest number; the last ones are returned. Default: no limit.
   */
  thumbnails(label?: string, limit = Number.MAX_SAFE_INTEGER): Promise<readonly Thumbnail[]> {
    return this.client.call('thumbnails', [label, limit]);
  }

  /** Return the stored photo of a sample, or undefined if there is none. */
  photo(id: number): Promise<Blob | undefined> {
    return this.client.call('photo', [id]);
  }

  /**
   * Add a sample: store its features, and imprint its class unless it is trained.
   *
   * A new class can be predicted at once. A sample that is stored already is not added again.
   *
   * @param input - see `predict`.
   * @param label - name of the class. For several labels: the names of all labels that apply, or a
   *   record name → boolean, which leaves other labels unknown. For a regression: a record
   *   name → number.
   * @param options - see `SampleOptions`.
   * @returns the number of the sample, for `forget`.
   * @throws DataError if the input or label does not fit the model, no class is free, or the sample
   *   has another label.
   * @throws StoreError if the storage is full or cannot be written.
   */
  async addSample(input: Input, label: Label, options: SampleOptions = {}): Promise<number> {
    const { input: sent, transfer } = await deliver(input);
    return this.client.call('addSample', [sent, label, options], transfer);
  }

  /** Return the sample with this image, or with this `source`; undefined if there is none. */
  async find(input: Input, source?: string): Promise<StoredSample | undefined> {
    const { input: sent, transfer } = await deliver(input);
    return this.client.call('find', [sent, source], transfer);
  }

  /**
   * Delete samples for good, and stop a running training.
   *
   * Trained weights still depend on them until the next `fit`. Imprinted classes are imprinted again
   * from their other samples, and classes without samples are removed.
   *
   * @throws DataError if a number is unknown.
   */
  forget(...ids: number[]): Promise<void> {
    return this.client.call('forget', [ids]);
  }

  /**
   * Add a class without samples, which `classes` lists. Its first sample gives it a class index.
   *
   * @throws DataError if the name is in use or not valid, or if no class is free.
   */
  addClass(name: string): Promise<void> {
    return this.client.call('addClass', [name]);
  }

  /** Rename a class; throws DataError if it does not exist or the name is in use. */
  renameClass(label: string, name: string): Promise<void> {
    return this.client.call('renameClass', [label, name]);
  }

  /** Delete a class and its samples for good; see `forget`. */
  removeClass(label: string): Promise<void> {
    return this.client.call('removeClass', [label]);
  }

  /**
   * Predict the class of an input.
   *
   * @param input - an image: a file, pixels, a video frame, or an element that shows one; or a
   *   typed array of the size of the input. For several inputs: a record with their names.
   * @param options - see `PredictionOptions`.
   * @returns all classes, the most probable first. `best` is undefined if the input resembles none.
   * @throws DataError if the input does not fit the model, or the model is a regression.
   */
  async predict(input: Input, options: PredictionOptions = {}): Promise<PredictionsOfInput> {
    const { input: sent, transfer } = await deliver(input);
    return this.client.call('predict', [sent, options], transfer);
  }

  /** Return name → output: a number for a regression, a probability otherwise; see `predict`. */
  async predictValues(input: Input): Promise<ReadonlyMap<string, number>> {
    const { input: sent, transfer } = await deliver(input);
    return this.client.call('predictValues', [sent], transfer);
  }

  /**
   * Measure the accuracy and the loss.
   *
   * @param samples - pairs of an input and its label, preferably not used in training. Default: the
   *   held-out samples, or all samples if none is held out.
   * @throws DataError if there is no sample, or one does not fit.
   */
  async evaluate(samples?: readonly (readonly [Input, Label])[]): Promise<Evaluation> {
    if (samples === undefined) {
      return this.client.call('evaluate', [undefined]);
    }
    const parts = await Promise.all(samples.map(([input]) => deliver(input)));
    const pairs = parts.map(({ input }, i) => [input, samples[i]?.[1] as Label] as const);
    return this.client.call(
      'evaluate',
      [pairs],
      parts.flatMap(({ transfer }) => transfer),
    );
  }

  /**
   * Train from scratch on all samples, with equal weight for each class.
   *
   * Cross-validation chooses the weight decay, calibrates the probabilities, and sets the threshold
   * for out-of-distribution inputs. If a class has weights but no samples (a checkpoint brought it),
   * training continues from the present weights instead. The checkpoint is saved at the end.
   *
   * @param options - see `TrainingOptions`.
   * @param callbacks - see `FitCallbacks`.
   * @returns a job to pause, resume, stop or await; `await job.history` waits for its end.
   */
  fit(options: TrainingOptions = {}, callbacks: FitCallbacks = {}): TrainingJob {
    return TrainingJob.start(this.client, options, callbacks);
  }

  /** Stop a running training after its present step; see `TrainingJob.stop`. */
  stop(): Promise<void> {
    return this.client.call('stop', [undefined]);
  }

  /** Stop a running training, save, and release memory and storage. May be called again. */
  async close(): Promise<void> {
    if (this.client.ended) {
      return;
    }
    try {
      await this.client.call('close', []);
    } finally {
      this.client.terminate('the model is closed');
    }
  }
}
