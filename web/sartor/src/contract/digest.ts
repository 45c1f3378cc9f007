/** Digests of models and checkpoints, which reveal damage such as a flipped bit in a weight. */

import { bytesOf, concatenate, encodeText, hexadecimal, sha256 } from './bytes.js';

/**
 * Return the SHA-256, in hexadecimal, of a model.
 *
 * @param flatbuffer - all bytes before the appended ZIP archive.
 */
export async function modelDigest(flatbuffer: Uint8Array): Promise<string> {
  return hexadecimal(await sha256(flatbuffer));
}

/**
 * Return the SHA-256, in hexadecimal, of the tensors and classes of a checkpoint.
 *
 * @param tensors - name → values, without the tensors of the app.
 * @param classes - the name of each class index, or null.
 * @param keys - the key of each class index, or null.
 */
export async function checkpointDigest(
  tensors: ReadonlyMap<string, Float32Array>,
  classes: readonly (string | null)[],
  keys: readonly (string | null)[],
): Promise<string> {
  const names = [...tensors.keys()].sort(byCodePoint);
  const parts = names.flatMap((name) => [
    encodeText(`${name}\n`),
    bytesOf(tensors.get(name) as Float32Array),
  ]);
  const texts = [...classes, ...keys].map((text) => encodeText(`${text ?? ''}\n`));
  return hexadecimal(await sha256(concatenate([...parts, ...texts])));
}

/** Compare two texts by their code points, as Python does. */
export function byCodePoint(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  const i = left.findIndex((each, at) => each !== right[at]);
  if (i < 0) {
    return left.length - right.length;
  }
  return i >= right.length
    ? 1
    : (left[i]?.codePointAt(0) as number) - (right[i]?.codePointAt(0) as number);
}
