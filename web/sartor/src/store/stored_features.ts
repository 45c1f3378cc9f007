/** Features that stay in the store until a batch of them is needed. */

import type { Matrix } from '../data/matrix.js';
import { range } from '../numbers.js';
import type { StoredSample } from '../worker/messages.js';
import type { FeatureCodec } from './codec.js';
import type { Database } from './database.js';
import { decodeFeatures, readEncoded } from './features.js';

/** A row of the features of a sample. */
interface Row {
  readonly sample: StoredSample;
  /** Place of the row among those of its sample. */
  readonly place: number;
}

/** Rows of each features tensor, [N, size of the tensor]; or rows that stay in the store. */
export type Features = readonly Matrix[] | StoredFeatures;

/**
 * Features of rows in a store; `read` returns some of them.
 *
 * In a file with tuned layers, the features of a sample are ten thousand to two hundred thousand
 * numbers: those of all samples do not fit in the memory of a small device. The rows stay those at
 * the time of the creation. A row of a sample that was deleted since is zeros.
 */
export class StoredFeatures {
  readonly #database: Database;
  readonly #codec: FeatureCodec;
  readonly #rows: readonly Row[];

  private constructor(database: Database, codec: FeatureCodec, rows: readonly Row[]) {
    this.#database = database;
    this.#codec = codec;
    this.#rows = rows;
  }

  /** Return the features of samples, in their order. */
  static ofSamples(
    database: Database,
    codec: FeatureCodec,
    samples: readonly StoredSample[],
  ): StoredFeatures {
    const rows = samples.flatMap((sample) => {
      return Array.from({ length: sample.rows }, (_, place) => ({ sample, place }));
    });
    return new StoredFeatures(database, codec, rows);
  }

  /** Number of rows. */
  get rows(): number {
    return this.#rows.length;
  }

  /** Return some of the rows, without reading them. */
  take(rows: readonly number[]): StoredFeatures {
    const taken = rows.map((row) => this.#rows[row] as Row);
    return new StoredFeatures(this.#database, this.#codec, taken);
  }

  /**
   * Return rows from the store, and whether the sample of each is there.
   *
   * @param rows - indices of n rows.
   * @returns n rows of each features tensor, and n flags.
   * @throws StoreError if the features of a sample are damaged.
   */
  read(rows: ArrayLike<number>): { features: Matrix[]; isStored: boolean[] } {
    const features = this.#codec.zeros(rows.length);
    const isStored = Array.from(rows, (row, i) => {
      const { sample, place } = this.#rows[row] as Row;
      const encoded = readEncoded(this.#database, this.#codec, sample);
      if (encoded === undefined) {
        return false;
      }
      const size = encoded.data.length / sample.rows;
      const data = encoded.data.subarray(size * place, size * (place + 1));
      const decoded = decodeFeatures(this.#database, this.#codec, sample, { ...encoded, data });
      features.forEach((matrix, tensor) => {
        matrix.row(i).set((decoded[tensor] as Matrix).data);
      });
      return true;
    });
    return { features, isStored };
  }

  /** Return the indices of the rows whose samples are still in the store. */
  present(): number[] {
    const ids = new Set(this.#database.rows('SELECT id FROM sample').map(([id]) => id));
    return this.#rows.flatMap(({ sample }, row) => (ids.has(sample.id) ? [row] : []));
  }
}

/** Return some of the rows; those of a store are not read. */
export function takeRows(features: Features, rows: readonly number[]): Features {
  return features instanceof StoredFeatures
    ? features.take(rows)
    : features.map((each) => each.take(rows));
}

/** Return all rows in memory. */
export function inMemory(features: Features): readonly Matrix[] {
  return features instanceof StoredFeatures
    ? features.read(range(features.rows)).features
    : features;
}
