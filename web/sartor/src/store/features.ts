/** Read the features of samples, and compare their checksums. */

import { checksum } from '../contract/checksum.js';
import { Matrix } from '../data/matrix.js';
import type { StoredSample } from '../worker/messages.js';
import type { EncodedFeatures, FeatureCodec } from './codec.js';
import type { Database } from './database.js';
import { damaged } from './sqlite.js';

/**
 * Return the features of samples, one below the other: a matrix for each features tensor.
 *
 * @throws StoreError if they are damaged.
 */
export function readAllFeatures(
  database: Database,
  codec: FeatureCodec,
  samples: readonly StoredSample[],
): Matrix[] {
  const features = samples.map((sample) => readFeatures(database, codec, sample));
  return codec.zeros(0).map((empty, tensor) => {
    return Matrix.stack([empty, ...features.map((each) => each[tensor] as Matrix)]);
  });
}

/**
 * Return the features of a sample: a matrix for each features tensor.
 *
 * @throws StoreError if they are damaged.
 */
export function readFeatures(
  database: Database,
  codec: FeatureCodec,
  sample: StoredSample,
): Matrix[] {
  const encoded = readEncoded(database, codec, sample);
  if (encoded === undefined) {
    throw hasChanged(database, sample);
  }
  return decodeFeatures(database, codec, sample, encoded);
}

/**
 * Return the encoded features of a sample; undefined if it is not in the store.
 *
 * @throws StoreError if they are damaged.
 */
export function readEncoded(
  database: Database,
  codec: FeatureCodec,
  sample: StoredSample,
): EncodedFeatures | undefined {
  const { id, rows } = sample;
  const query = 'SELECT encoding, data, checksum FROM features WHERE sample = ?';
  const [[encoding, data, stored] = []] = database.rows(query, id);
  if (
    encoding === undefined &&
    database.rows('SELECT 1 FROM sample WHERE id = ?', id).length === 0
  ) {
    return undefined;
  }
  if (
    typeof encoding !== 'string' ||
    !(data instanceof Uint8Array) ||
    !codec.isValid(encoding) ||
    data.length !== codec.size(encoding) * rows ||
    checksum(id, encoding, data) !== stored
  ) {
    throw hasChanged(database, sample);
  }
  return { encoding, data };
}

/**
 * Return rows of the features of a sample: a matrix for each features tensor.
 *
 * @throws StoreError if they are not finite.
 */
export function decodeFeatures(
  database: Database,
  codec: FeatureCodec,
  { id }: StoredSample,
  encoded: EncodedFeatures,
): Matrix[] {
  const features = codec.decode(encoded);
  if (!features.every((matrix) => matrix.data.every(Number.isFinite))) {
    throw damaged(database.name, `the features of sample ${id} are not finite`);
  }
  return features;
}

function hasChanged(database: Database, { id }: StoredSample) {
  return damaged(database.name, `the features of sample ${id} have changed`);
}
