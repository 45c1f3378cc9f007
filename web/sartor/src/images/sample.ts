/** Samples in the worker: the value of each input of the base, decoded at most once. */

import { IMAGE, type InputSpec } from '../../../../contract/generated/contract.js';
import { type Bytes, bytesOf, concatenate, encodeText, sha256 } from '../contract/bytes.js';
import { pack } from '../contract/checksum.js';
import { byCodePoint } from '../contract/digest.js';
import { volume } from '../data/batches.js';
import { DataError } from '../errors.js';
import type { Tensor } from '../litert/engine.js';
import { RandomNumbers } from '../random_numbers.js';
import type { InputArray, WorkerImage, WorkerInput } from '../worker/messages.js';
import { augment, type Draws, drawAugmentation } from './augment.js';
import { decodeImage, encodePng, onWhite, withoutOpacity } from './decode.js';
import { centerBox, type Pixels, resize } from './resize.js';
import { denormalize, normalize } from './values.js';

const THUMBNAIL = 48; // pixels per side
const TYPES = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/** Values of the inputs of the base: name → tensor. */
export type InputTensors = Record<string, Tensor>;

/** A sample whose names fit the inputs of a base. Create it with `loadSample`. */
export class LoadedSample {
  readonly #inputs: readonly LoadedInput[];
  readonly #hasNames: boolean;

  constructor(inputs: readonly LoadedInput[], hasNames: boolean) {
    this.#inputs = inputs;
    this.#hasNames = hasNames;
  }

  /** Return the inputs of the base; throws DataError if a value does not fit. */
  async tensors(): Promise<InputTensors> {
    return this.#collect((input) => input.tensor());
  }

  /**
   * Return augmented inputs. All images of a sample are cropped and lit in the same way.
   *
   * @param count - number of augmentations.
   * @throws DataError if an input is not an image.
   */
  async augmentations(count: number): Promise<InputTensors[]> {
    const numbers = new RandomNumbers(seedOf(await this.identity()));
    const results: InputTensors[] = [];
    for (let number = 1; number <= count; number += 1) {
      const draws = drawAugmentation(numbers);
      results.push(await this.#collect((input) => input.augmented(number, draws)));
    }
    return results;
  }

  /** Return the SHA-256 of the content; see docs/contract.md. */
  async identity(): Promise<Bytes> {
    const [first] = this.#inputs as readonly [LoadedInput];
    if (!this.#hasNames && first.spec.modality === IMAGE) {
      return first.digest();
    }
    const sorted = [...this.#inputs].sort((a, b) => byCodePoint(a.spec.name, b.spec.name));
    const parts: Uint8Array[] = [];
    for (const input of sorted) {
      parts.push(encodeText(`${input.spec.name}\0`), await input.digest());
    }
    return sha256(concatenate(parts));
  }

  /** Return a thumbnail (PNG) of the first image, or undefined if no input is one. */
  async thumbnail(): Promise<Uint8Array | undefined> {
    return this.#inputs.find(({ spec }) => spec.modality === IMAGE)?.thumbnail();
  }

  /**
   * Return the image file that another base can read: a file as it is, other images as PNG.
   *
   * @throws DataError if the sample is not one image.
   */
  async photo(): Promise<Uint8Array> {
    const [first, second] = this.#inputs;
    if (first === undefined || second !== undefined || !first.isImage) {
      throw new DataError(
        'only the photo of an image can be stored: open the model without photos',
      );
    }
    return first.photo();
  }

  async #collect(value: (input: LoadedInput) => Promise<Tensor>): Promise<InputTensors> {
    const tensors: InputTensors = {};
    for (const input of this.#inputs) {
      tensors[input.spec.name] = await value(input);
    }
    return tensors;
  }
}

/** The value of one input of the base. */
class LoadedInput {
  readonly spec: InputSpec;
  readonly #value: WorkerImage | InputArray;
  #decoded: Promise<Pixels> | undefined;

  constructor(spec: InputSpec, value: WorkerImage | InputArray) {
    this.spec = spec;
    this.#value = value;
    if (this.isImage && spec.modality !== IMAGE) {
      throw new DataError(`${expects(spec)}; got an image`);
    }
  }

  get isImage(): boolean {
    return !ArrayBuffer.isView(this.#value);
  }

  async tensor(): Promise<Tensor> {
    if (!this.isImage) {
      return checkArray(this.spec, this.#value as InputArray);
    }
    return normalize(this.spec, await this.#cropped());
  }

  async augmented(number: number, draws: Draws): Promise<Tensor> {
    if (!this.isImage) {
      throw new DataError(`only images can be augmented, not an array of ${this.spec.name}`);
    }
    const [, height, width] = this.spec.shape as [number, number, number];
    const image = await this.#upright();
    return normalize(this.spec, augment(image, width, height, number, draws));
  }

  async digest(): Promise<Bytes> {
    const value = this.#value;
    if (value instanceof Blob || value instanceof ArrayBuffer) {
      return sha256(new Uint8Array(value instanceof Blob ? await value.arrayBuffer() : value));
    }
    if (ArrayBuffer.isView(value)) {
      const values = checkArray(this.spec, value);
      return arrayDigest(this.spec.dtype, this.spec.shape, bytesOf(values));
    }
    const { height, width, channels, data } = withoutOpacity(await this.#pixels());
    return arrayDigest('uint8', [height, width, channels], bytesOf(data));
  }

  async thumbnail(): Promise<Uint8Array> {
    const pixels = this.isImage
      ? await this.#cropped()
      : denormalize(this.spec, checkArray(this.spec, this.#value as InputArray));
    const { width, height } = pixels;
    const scale = Math.min(1, THUMBNAIL / Math.max(width, height));
    const size = (side: number) => Math.max(1, Math.round(side * scale));
    return encodePng(resize(pixels, { left: 0, top: 0, width, height }, size(width), size(height)));
  }

  async photo(): Promise<Uint8Array> {
    const value = this.#value;
    if (value instanceof Blob || value instanceof ArrayBuffer) {
      return new Uint8Array(value instanceof Blob ? await value.arrayBuffer() : value);
    }
    return encodePng(await this.#pixels());
  }

  #pixels(): Promise<Pixels> {
    this.#decoded ??= decodeImage(this.#value as WorkerImage);
    return this.#decoded;
  }

  async #upright(): Promise<Pixels> {
    return onWhite(await this.#pixels(), this.spec.shape[3] as number);
  }

  async #cropped(): Promise<Pixels> {
    const [, height, width] = this.spec.shape as [number, number, number];
    const image = await this.#upright();
    return resize(image, centerBox(image.width, image.height, width, height), width, height);
  }
}

/**
 * Load a sample; its images are decoded when they are first needed.
 *
 * @param specs - specs of the base's inputs.
 * @param sample - a value, or a record with a value for each name.
 * @throws DataError if the names or types do not fit the inputs.
 */
export function loadSample(specs: readonly InputSpec[], sample: WorkerInput): LoadedSample {
  const hasNames = Object.getPrototypeOf(sample) === Object.prototype;
  const values = (hasNames ? sample : { [specs[0]?.name ?? '']: sample }) as Readonly<
    Record<string, WorkerImage | InputArray>
  >;
  const names = specs.map(({ name }) => name);
  const isComplete = names.every((name) => Object.hasOwn(values, name));
  if (!isComplete || Object.keys(values).length !== names.length) {
    const got = hasNames ? Object.keys(values).join(', ') : 'one value without a name';
    throw new DataError(
      `the inputs of the model are ${names.join(', ')}; got ${got}. Give a record of names and values`,
    );
  }
  return new LoadedSample(
    specs.map((spec) => new LoadedInput(spec, values[spec.name] as WorkerImage | InputArray)),
    hasNames,
  );
}

/**
 * Return the identity of a sample that the app identifies by a name, such as an asset ID.
 *
 * @throws DataError if the name is not printable text.
 */
export async function identityOfName(name: string): Promise<Bytes> {
  if (typeof name !== 'string' || /[\p{C}\p{Zl}\p{Zp}]/u.test(name)) {
    throw new DataError(`a source must be a printable text; got ${JSON.stringify(name)}`);
  }
  return sha256(encodeText(`name\0${name}`));
}

function arrayDigest(dtype: string, shape: readonly number[], data: Uint8Array): Promise<Bytes> {
  return sha256(concatenate([pack(dtype, shape.length, ...shape), data]));
}

function seedOf(identity: Bytes): number {
  return new DataView(identity.buffer).getUint32(0, true);
}

function checkArray(spec: InputSpec, value: InputArray): Tensor {
  const type = TYPES[spec.dtype as keyof typeof TYPES];
  if (!(value instanceof type) || value.length !== volume(spec.shape)) {
    throw new DataError(`${expects(spec)}; got ${value.constructor.name}, ${value.length} values`);
  }
  if (value instanceof Float32Array && !value.every(Number.isFinite)) {
    throw new DataError(`${spec.name} contains values that are not finite (NaN or infinite)`);
  }
  return value;
}

function expects({ name, dtype, shape, modality }: InputSpec): string {
  const type = TYPES[dtype as keyof typeof TYPES].name;
  const image = modality === IMAGE ? 'an image, or ' : '';
  return `${name} takes ${image}${type} [${shape}], ${volume(shape)} values`;
}
