/** The model in the worker: the functions that the page calls. */

import { STORE_PHOTO, STORE_THUMBNAIL } from '../../../../contract/generated/contract.js';
import type { Bytes } from '../contract/bytes.js';
import type { Label } from '../data/tasks.js';
import { DataError, StoreError } from '../errors.js';
import { Evaluator } from '../results/evaluation.js';
import { type Epoch, type Evaluation, type History, predictionsOf } from '../results/records.js';
import { inMemory, takeRows } from '../store/stored_features.js';
import type { TrainingOptions } from '../training/config.js';
import { Inputs } from './inputs.js';
import type {
  ClassSummary,
  PredictionOptions,
  PredictionsOfInput,
  SampleOptions,
  Service,
  StoredSample,
  Thumbnail,
  WorkerInput,
} from './messages.js';
import { ModelFiles } from './model_files.js';
import type { Parts } from './open.js';

const OWN_DATA = 'sartor/'; // start of the keys of the library in the data of the app

/** An open model. The functions have the meaning of the methods of `PersonalModel`. */
export class Model extends ModelFiles implements Service {
  readonly #inputs: Inputs;
  readonly #onEpoch: (job: number, epoch: Epoch) => void;

  /**
   * @param parts - parts of the model.
   * @param onEpoch - called after each epoch of a job.
   */
  constructor(parts: Parts, onEpoch: (job: number, epoch: Epoch) => void) {
    super(parts);
    this.#onEpoch = onEpoch;
    this.#inputs = new Inputs(parts);
  }

  addSample(input: WorkerInput, label: Label, options: SampleOptions): Promise<number> {
    return this.#inputs.add(input, label, options);
  }

  find(input: WorkerInput, source: string | undefined): Promise<StoredSample | undefined> {
    return this.#inputs.find(input, source);
  }

  async predict(input: WorkerInput, options: PredictionOptions): Promise<PredictionsOfInput> {
    if (this.parts.file.manifest.task === 'regression') {
      throw new DataError('the model predicts numbers, not classes: call predictValues');
    }
    const { outputs, inDistribution, features } = await this.#inputs.infer(input);
    const predictions = predictionsOf(outputs, inDistribution);
    return options.features
      ? { ...predictions, features: features.map(({ data }) => data) }
      : predictions;
  }

  async predictValues(input: WorkerInput): Promise<ReadonlyMap<string, number>> {
    return (await this.#inputs.infer(input)).outputs;
  }

  async evaluate(
    pairs: readonly (readonly [WorkerInput, Label])[] | undefined,
  ): Promise<Evaluation> {
    const { samples, state, file } = this.parts;
    const newSamples = pairs && (await this.#inputs.embed(pairs));
    return this.lock.run(async () => {
      const engine = await state.engine();
      const evaluator = new Evaluator(engine, file.manifest, state.classIndices);
      for (const { features, targets } of newSamples ?? this.#storedSamples()) {
        samples.checkClasses(targets.keys());
        await evaluator.add(features, targets);
      }
      return evaluator.result();
    });
  }

  async fit(job: number, options: TrainingOptions): Promise<History> {
    const history = await this.jobs.run(job, options, (epoch) => this.#onEpoch(job, epoch));
    try {
      await this.parts.saver.save();
    } catch (error) {
      return { ...history, warnings: [...history.warnings, notSaved(error)] };
    }
    return history;
  }

  async pause(job: number): Promise<void> {
    this.jobs.pause(job);
  }

  async resume(job: number): Promise<void> {
    this.jobs.resume(job);
  }

  async stop(job: number | undefined): Promise<void> {
    this.jobs.stop(job);
  }

  classes(): Promise<readonly ClassSummary[]> {
    return this.lock.run(() => {
      const { samples, state } = this.parts;
      const all = samples.store.counts();
      const heldOut = samples.store.counts(true);
      const summary = (name: string, index?: number): ClassSummary => ({
        name,
        index,
        samples: all.get(name) ?? 0,
        heldOut: heldOut.get(name) ?? 0,
        trained: index !== undefined && !state.isNew(name),
      });
      return [
        ...[...state.classIndices].map(([name, index]) => summary(name, index)),
        ...samples.emptyClasses.map((name) => summary(name)),
      ];
    });
  }

  addClass(name: string): Promise<void> {
    return this.lock.run(() => this.parts.samples.addEmptyClass(name));
  }

  renameClass(label: string, name: string): Promise<void> {
    return this.lock.run(() => {
      this.parts.samples.renameClass(label, name);
      this.parts.saver.schedule();
    });
  }

  removeClass(label: string): Promise<void> {
    return this.exclusive(async () => {
      await this.parts.samples.removeClass(label);
      this.parts.saver.schedule();
    });
  }

  samples(): Promise<readonly StoredSample[]> {
    return this.lock.run(() => this.parts.samples.store.samples());
  }

  thumbnails(label: string | undefined, limit: number): Promise<readonly Thumbnail[]> {
    return this.lock.run(() => {
      const { store } = this.parts.samples;
      const members = store
        .samples()
        .filter(({ targets }) => label === undefined || store.belongs(targets[label]));
      const thumbnails: Thumbnail[] = [];
      for (const { id } of members.reverse()) {
        const image = thumbnails.length < limit ? store.image(id, STORE_THUMBNAIL) : undefined;
        if (image !== undefined) {
          const type = 'image/png';
          thumbnails.unshift({ id, image: new Blob([image as Bytes], { type }) });
        }
      }
      return thumbnails;
    });
  }

  photo(id: number): Promise<Blob | undefined> {
    return this.lock.run(() => {
      const image = this.parts.samples.store.image(id, STORE_PHOTO);
      return image && new Blob([image as Bytes]);
    });
  }

  forget(ids: readonly number[]): Promise<void> {
    return this.exclusive(async () => {
      await this.parts.samples.forget(ids);
      this.parts.saver.schedule();
    });
  }

  appData(prefix: string): Promise<ReadonlyMap<string, string>> {
    return this.lock.run(() => {
      const texts = [...this.parts.samples.store.appData(prefix)];
      return new Map(texts.filter(([key]) => !key.startsWith(OWN_DATA)));
    });
  }

  setAppData(key: string, text: string | undefined): Promise<void> {
    return this.lock.run(() => {
      if (key.startsWith(OWN_DATA)) {
        throw new DataError(`keys that start with ${OWN_DATA} belong to Sartor; got ${key}`);
      }
      this.parts.samples.store.setAppData(key, text);
    });
  }

  async close(): Promise<void> {
    await this.exclusive(async () => {
      const { state, saver, samples, storage } = this.parts;
      try {
        await saver.saveUnlocked();
      } finally {
        this.jobs.close();
        state.close();
        samples.store.close();
        saver.close();
        storage.close();
      }
    });
  }

  /** Return the features and the targets of stored samples, without augmentations. */
  *#storedSamples() {
    const { samples, features, targets, classes } = this.parts.samples.evaluationSet();
    const first = samples.map((_, row) => row).filter((row) => samples[row] !== samples[row - 1]);
    for (const row of first) {
      const labels = classes
        .map((name, column) => [name, targets.at(row, column)] as const)
        .filter(([, target]) => !Number.isNaN(target));
      yield { features: inMemory(takeRows(features, [row])), targets: new Map(labels) };
    }
  }
}

/** Return the warning about weights that were trained and cannot be saved. */
function notSaved(error: unknown): string {
  return error instanceof StoreError && error.code === 'storage-full'
    ? 'the trained weights are not saved, because the storage is full. Free space, and train again'
    : `the trained weights are not saved: ${(error as Error).message}`;
}
