/** Freeze: take the plain classifier out of a model file, with the values of a checkpoint. */

import {
  LABELS_FILE,
  MANIFEST_FILE,
  MASK,
  type VariableSpec,
} from '../../../../contract/generated/contract.js';
import { type Bytes, bytesOf, concatenate, encodeText } from '../contract/bytes.js';
import { zipParts } from '../contract/zip.js';
import { volume } from '../data/batches.js';
import { DataError, InvalidModelError } from '../errors.js';
import type { Variables } from '../litert/engine.js';
import type { ModelFile } from '../litert/model_file.js';
import { range } from '../numbers.js';
import { type Adapted, adapt } from './adapt.js';
import type { Checkpoint } from './checkpoint.js';

/**
 * Return the plain classifier in a model file.
 *
 * It has one signature, from the inputs of the base to the output of each class that has samples,
 * and standard metadata with the class names. It cannot be trained.
 *
 * @param file - the model file.
 * @param checkpoint - a checkpoint of the model.
 * @param initial - initial values of the variables, as LiteRT.js returns them.
 * @returns the bytes of a `.tflite` file.
 * @throws DataError if there are too few classes, or fewer than the head allows.
 * @throws InvalidModelError if the file contains no classifier, or states wrong places.
 */
export function freeze(file: ModelFile, checkpoint: Checkpoint, initial: Variables): Bytes {
  const { frozen, classes, variables: specs } = file.manifest;
  if (frozen === null) {
    throw new InvalidModelError(
      `${file.name} contains no plain classifier: convert the base again, or use \`sartor freeze\`.`,
    );
  }
  const adapted = adapt(checkpoint, file.manifest, initial, 'the checkpoint');
  const indices = usedIndices(adapted, file);
  const bytes = new Uint8Array(file.flatbuffer);
  const places = new Places(bytes, file.name);
  for (const spec of specs.filter(({ offset }) => offset > frozen.offset)) {
    const value = select(adapted.variables[spec.name] as Float32Array, spec, indices);
    places.replace(spec.offset - 4, 4 * volume(spec.shape), 4 * value.length);
    bytes.set(bytesOf(value), spec.offset);
  }
  for (const position of frozen.class_counts) {
    places.replace(position, classes.length, indices.length);
  }
  const files = new Map(file.files);
  files.delete(MANIFEST_FILE);
  files.set(LABELS_FILE, encodeText(indices.map((i) => adapted.classes[i]).join('\n')));
  const classifier = bytes.subarray(frozen.offset);
  return concatenate([classifier, ...zipParts(files, classifier.length)]);
}

/** The numbers in a file that a classifier with fewer classes replaces. */
class Places {
  readonly #view: DataView;

  constructor(
    bytes: Bytes,
    readonly name: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Replace a uint32; throws InvalidModelError if its present value is another one. */
  replace(position: number, present: number, value: number): void {
    const isInside = position >= 0 && position + 4 <= this.#view.byteLength;
    const number = isInside ? this.#view.getUint32(position, true) : undefined;
    if (number !== present) {
      throw new InvalidModelError(
        `${this.name}: ${MANIFEST_FILE} places the size ${present} at byte ${position}, where the ` +
          `file has ${number ?? 'no byte'}. Convert the base again.`,
      );
    }
    this.#view.setUint32(position, value, true);
  }
}

/** Return the indices of the classes that have a name and are active. */
function usedIndices({ variables, classes }: Adapted, { manifest }: ModelFile): number[] {
  const mask = variables[MASK] as Float32Array;
  const indices = range(classes.length).filter((i) => classes[i] !== null && mask[i] === 1);
  const least = manifest.task === 'classification' ? 2 : 1;
  if (indices.length < least) {
    const names = indices.map((i) => `: '${classes[i]}'`).join('');
    throw new DataError(
      `the model has ${indices.length || 'no'} class${names}, and a classifier needs ${least} or ` +
        'more: add samples of other classes',
      'too-few-classes',
    );
  }
  if (manifest.frozen?.class_counts.length === 0 && indices.length < classes.length) {
    throw new DataError(
      `the head needs ${classes.length} classes, and the model has ${indices.length}: convert the ` +
        'base again with a capacity equal to the number of classes',
    );
  }
  return indices;
}

/** Return the values at class indices. */
function select(value: Float32Array, spec: VariableSpec, indices: readonly number[]) {
  const { shape, class_axis: axis } = spec;
  if (axis === null) {
    return value;
  }
  const [size, stride] = [shape[axis] as number, volume(shape.slice(axis + 1))];
  return Float32Array.from(
    range(value.length / (size * stride)).flatMap((block) =>
      indices.flatMap((index) => {
        const start = (block * size + index) * stride;
        return [...value.subarray(start, start + stride)];
      }),
    ),
  );
}
