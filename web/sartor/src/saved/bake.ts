/** Bake: write a checkpoint into a model file, as the initial values of its variables. */

import {
  LABELS_FILE,
  MANIFEST_FILE,
  type Manifest,
} from '../../../../contract/generated/contract.js';
import {
  type Bytes,
  bytesOf,
  concatenate,
  decodeText,
  encodeText,
  floatsOf,
} from '../contract/bytes.js';
import { modelDigest } from '../contract/digest.js';
import { zipParts } from '../contract/zip.js';
import { volume } from '../data/batches.js';
import { InvalidModelError } from '../errors.js';
import type { Variables } from '../litert/engine.js';
import type { ModelFile } from '../litert/model_file.js';
import { adapt } from './adapt.js';
import type { Checkpoint } from './checkpoint.js';

/**
 * Write a checkpoint into a model file.
 *
 * The initial values of the variables, the class names and the digest change; all other bytes stay.
 *
 * @param file - the model file.
 * @param checkpoint - a checkpoint of the model.
 * @param initial - initial values of the variables, as LiteRT.js returns them.
 * @returns the bytes of the new file.
 * @throws InvalidModelError if the manifest states wrong places of the variables.
 */
export async function bake(
  file: ModelFile,
  checkpoint: Checkpoint,
  initial: Variables,
): Promise<Bytes> {
  const { variables, classes, classKeys } = adapt(
    checkpoint,
    file.manifest,
    initial,
    'the checkpoint',
  );
  const flatbuffer = new Uint8Array(file.flatbuffer);
  for (const { name, shape, offset } of file.manifest.variables) {
    const place = flatbuffer.subarray(offset, offset + 4 * volume(shape));
    checkPlace(file, name, floatsOf(place), initial[name] as Float32Array);
    place.set(bytesOf(variables[name] as Float32Array));
  }
  const digest = await modelDigest(flatbuffer);
  const files = new Map(file.files);
  files.set(MANIFEST_FILE, manifestText(file, { classes, class_keys: classKeys, digest }));
  const labels = classes.map((name, index) => name ?? `unused ${index}`);
  files.set(LABELS_FILE, encodeText(labels.join('\n')));
  return concatenate([flatbuffer, ...zipParts(files, flatbuffer.length)]);
}

function checkPlace(file: ModelFile, name: string, value: Float32Array, initial: Float32Array) {
  if (!value.every((x, i) => Object.is(x, initial[i]))) {
    throw new InvalidModelError(
      `${file.name}: ${MANIFEST_FILE} places the initial value of ${name} where the model has ` +
        'another value. Convert the base again.',
    );
  }
}

/** Return the manifest with other values; its unknown keys stay. */
function manifestText(file: ModelFile, changes: Partial<Manifest>): Bytes {
  const fields = JSON.parse(decodeText(file.files.get(MANIFEST_FILE) as Bytes));
  return encodeText(JSON.stringify({ ...fields, ...changes }));
}
