/** The inputs of the page: they become samples, features and predictions. */

import { STORE_PHOTO, STORE_THUMBNAIL } from '../../../../contract/generated/contract.js';
import type { Bytes } from '../contract/bytes.js';
import { volume } from '../data/batches.js';
import { Matrix } from '../data/matrix.js';
import { type Label, TASKS } from '../data/tasks.js';
import { DataError } from '../errors.js';
import { identityOfName, type LoadedSample, loadSample } from '../images/sample.js';
import type { Inference } from '../results/inference.js';
import { Lock } from './lock.js';
import type { SampleOptions, StoredSample, WorkerInput } from './messages.js';
import type { Parts } from './open.js';

/** Features and targets of a sample, for an evaluation. */
export interface LabelledFeatures {
  /** One row of each features tensor. */
  readonly features: readonly Matrix[];
  /** Class name → target. */
  readonly targets: ReadonlyMap<string, number>;
}

/** Decodes inputs and runs the model on them. Images are decoded while the model is not locked. */
export class Inputs {
  readonly #parts: Parts;
  readonly #additions = new Lock(); // decode one image at a time

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Add a sample; see `PersonalModel.addSample`. */
  add(input: WorkerInput, label: Label, options: SampleOptions): Promise<number> {
    return this.#additions.run(() => this.#add(input, label, options));
  }

  /** Return the stored sample of an input or of a source, or undefined. */
  async find(input: WorkerInput, source: string | undefined): Promise<StoredSample | undefined> {
    const identity = await identityOf(this.#load(input), source);
    return this.#parts.lock.run(() => this.#parts.samples.store.find(identity));
  }

  /** Run the model on an input. */
  async infer(input: WorkerInput): Promise<Inference> {
    const tensors = await this.#load(input).tensors();
    return this.#parts.lock.run(() => this.#parts.state.infer(tensors));
  }

  /** Return the features and the targets of pairs of an input and its label. */
  async embed(
    pairs: readonly (readonly [WorkerInput, Label])[],
  ): Promise<readonly LabelledFeatures[]> {
    const { state } = this.#parts;
    const samples: LabelledFeatures[] = [];
    for (const [input, label] of pairs) {
      const features = await state.features(await this.#load(input).tensors());
      samples.push({ features, targets: this.#targets(label) });
    }
    return samples;
  }

  #load(input: WorkerInput): LoadedSample {
    return loadSample(this.#parts.file.manifest.inputs, input);
  }

  #targets(label: Label): Map<string, number> {
    const { state, file } = this.#parts;
    return TASKS[file.manifest.task].targets(label, [...state.classIndices.keys()]);
  }

  async #add(input: WorkerInput, label: Label, options: SampleOptions): Promise<number> {
    const { samples, saver, lock } = this.#parts;
    const { heldOut = false, source, augment = 0 } = options;
    if (!Number.isSafeInteger(augment) || augment < 0) {
      throw new DataError(`augment must be a whole number, at least 0; got ${augment}`);
    }
    const targets = this.#targets(label);
    samples.checkCapacity(targets.keys());
    const sample = this.#load(input);
    const identity = await identityOf(sample, source);
    const stored = samples.findSame(identity, targets);
    if (stored !== undefined) {
      return stored.id;
    }
    const features = await this.#featuresOf(sample, augment, options.features);
    const images = await this.#imagesOf(sample, options.thumbnail);
    return lock.run(async () => {
      const added = { features, targets, source: identity, heldOut, images };
      const id = samples.findSame(identity, targets)?.id ?? (await samples.add(added));
      saver.schedule();
      return id;
    });
  }

  /**
   * Return the features of a sample and of its augmentations.
   *
   * @param sample - the sample.
   * @param augment - number of augmentations.
   * @param own - features of the sample itself; undefined to compute them.
   */
  async #featuresOf(
    sample: LoadedSample,
    augment: number,
    own: readonly Float32Array[] | undefined,
  ): Promise<Matrix[]> {
    const { file, state } = this.#parts;
    const { features: specs } = file.manifest;
    const rows = [
      own === undefined
        ? await state.features(await sample.tensors())
        : specs.map(({ shape }, i) => new Matrix(own[i] ?? new Float32Array(), volume(shape))),
    ];
    for (const tensors of augment > 0 ? await sample.augmentations(augment) : []) {
      rows.push(await state.features(tensors));
    }
    return specs.map((_, i) => Matrix.stack(rows.map((row) => row[i] as Matrix)));
  }

  async #imagesOf(
    sample: LoadedSample,
    hasThumbnail: boolean | undefined,
  ): Promise<Map<string, Uint8Array>> {
    const { thumbnails, photos } = this.#parts.options;
    const images = new Map<string, Uint8Array>();
    const thumbnail = (hasThumbnail ?? thumbnails) ? await sample.thumbnail() : undefined;
    if (thumbnail !== undefined) {
      images.set(STORE_THUMBNAIL, thumbnail);
    }
    if (photos) {
      images.set(STORE_PHOTO, await sample.photo());
    }
    return images;
  }
}

async function identityOf(sample: LoadedSample, source: string | undefined): Promise<Bytes> {
  return source === undefined ? sample.identity() : identityOfName(source);
}
