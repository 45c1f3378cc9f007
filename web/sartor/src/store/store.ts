/** The sample store: features and labels of samples in one SQLite database. */

import {
  type Manifest,
  STORE_PHOTO,
  STORE_THUMBNAIL,
  type Task,
} from '../../../../contract/generated/contract.js';
import type { Matrix } from '../data/matrix.js';
import { DataError } from '../errors.js';
import type { StoredSample } from '../worker/messages.js';
import { checkImage, checkLabel, checkTargets, type Targets } from './checks.js';
import { FeatureCodec } from './codec.js';
import { Database } from './database.js';
import { checkLimits, evict, type Limits } from './eviction.js';
import { readAllFeatures, readFeatures } from './features.js';
import {
  readAppData,
  readClasses,
  readClassKeys,
  readImage,
  readSampleSet,
  readSamples,
} from './reading.js';
import type { SampleSet } from './sample_set.js';
import type { Connection } from './sqlite.js';
import { StoredFeatures } from './stored_features.js';
import {
  copyAll,
  deleteSamples,
  deleteTargets,
  insertSample,
  type NewSample,
  renameClass,
  sizeOf,
  writeAppData,
  writeRemoved,
} from './writing.js';

/** A sample for `SampleStore.add`. */
export interface SampleOfStore {
  /** Values of each features tensor: a row for the sample and each augmentation. */
  readonly features: readonly Matrix[];
  /** Class name → target. */
  readonly targets: Targets;
  /** Hash that identifies the sample. */
  readonly source: Uint8Array;
  readonly heldOut: boolean;
  /** Kind (`thumbnail`, `photo`) → image file. */
  readonly images: ReadonlyMap<string, Uint8Array>;
}

/**
 * Features and labels of samples, in an SQLite database.
 *
 * A method that returns has written its changes. A method that throws has changed nothing.
 */
export class SampleStore {
  readonly #database: Database;
  readonly #codec: FeatureCodec;
  readonly #task: Task;
  readonly #limits: Limits;
  readonly #streams: boolean; // files with tuned layers: their features are large

  private constructor(database: Database, manifest: Manifest, limits: Limits) {
    this.#database = database;
    this.#codec = new FeatureCodec(manifest.features);
    this.#task = manifest.task;
    this.#limits = limits;
    this.#streams = manifest.layers !== null;
  }

  /**
   * Open a store; an empty database becomes one.
   *
   * @param connection - connection to the database, which this closes if it fails.
   * @param name - name for messages.
   * @param manifest - manifest of the model that computes the features.
   * @param limits - limits of the store.
   * @param create - whether an empty database becomes a store. Default: true.
   * @throws StoreError if the database is damaged, not a store, of another version or base.
   * @throws DataError if a limit is not valid.
   */
  static async open(
    connection: Connection,
    name: string,
    manifest: Manifest,
    limits: Limits = { maxSamples: undefined, maxBytes: undefined },
    create = true,
  ): Promise<SampleStore> {
    checkLimits(limits);
    const { fingerprints, task } = manifest;
    const database = await Database.open(connection, name, fingerprints.base, task, create);
    return new SampleStore(database, manifest, limits);
  }

  /**
   * Store a sample.
   *
   * @param sample - the sample.
   * @param keys - class name → key that a new class gets.
   * @returns the ID of the sample; IDs increase.
   * @throws DataError if it does not fit the model, or is larger than `maxBytes`.
   * @throws StoreError if the storage is full; nothing is changed.
   */
  add(sample: SampleOfStore, keys: ReadonlyMap<string, string>): number {
    checkTargets(this.#task, sample.targets);
    for (const [kind, data] of sample.images) {
      checkImage(kind, data);
    }
    const encoded = this.#codec.encode(sample.features);
    const rows = sample.features[0]?.rows ?? 0;
    const { targets, source, heldOut, images } = sample;
    const row: NewSample = { ...encoded, rows, targets, source, heldOut, images };
    const { maxBytes } = this.#limits;
    if (maxBytes !== undefined && sizeOf(row) > maxBytes) {
      throw new DataError(
        `the sample has ${sizeOf(row)} bytes, more than maxBytes = ${maxBytes}: raise maxBytes, or ` +
          'store no photos',
      );
    }
    return this.#database.writing(() => {
      const id = insertSample(this.#database, row, keys);
      evict(this.#database, this.#codec, id, this.#limits);
      return id;
    });
  }

  /** Return the first sample with this source, or undefined. */
  find(source: Uint8Array): StoredSample | undefined {
    const query = 'SELECT min(id) FROM sample WHERE source = ?';
    const [[id] = []] = this.#database.rows(query, source);
    return typeof id === 'number' ? readSamples(this.#database, id)[0] : undefined;
  }

  /** Return all samples, in the order in which they were added. */
  samples(): StoredSample[] {
    return readSamples(this.#database);
  }

  /** Number of samples. */
  get size(): number {
    return this.#database.rows('SELECT count(*) FROM sample')[0]?.[0] as number;
  }

  /**
   * Return class name → number of its samples, in the order of their first samples.
   *
   * @param heldOut - whether the samples are held out. Default: both.
   */
  counts(heldOut?: boolean): Map<string, number> {
    const names = readClasses(this.#database).values();
    const counts = new Map([...names].map((name) => [name, 0]));
    for (const sample of this.samples()) {
      const isCounted = heldOut === undefined || sample.heldOut === heldOut;
      for (const [label, value] of Object.entries(sample.targets)) {
        if (isCounted && this.belongs(value)) {
          counts.set(label, (counts.get(label) ?? 0) + 1);
        }
      }
    }
    return counts;
  }

  /** Return whether a target belongs to a class: above 0, or any number for a regression. */
  belongs(target: number | undefined): boolean {
    const isKnown = target !== undefined && !Number.isNaN(target);
    return isKnown && (target > 0 || this.#task === 'regression');
  }

  /** Return features with the precision of the store. */
  round(features: readonly Matrix[]): Matrix[] {
    return this.#codec.round(features);
  }

  /**
   * Return samples with their features.
   *
   * In a file with tuned layers, the features stay in the store until they are read.
   *
   * @param heldOut - whether the samples are held out; undefined for both.
   * @param label - class name, for the samples of this class only. Default: all.
   * @throws StoreError if one is damaged.
   */
  select(heldOut?: boolean, label?: string): SampleSet {
    const samples = this.samples().filter((sample) => {
      const hasLabel = label === undefined || this.belongs(sample.targets[label]);
      return hasLabel && (heldOut === undefined || sample.heldOut === heldOut);
    });
    const features = this.#streams
      ? StoredFeatures.ofSamples(this.#database, this.#codec, samples)
      : readAllFeatures(this.#database, this.#codec, samples);
    return readSampleSet(this.#database, samples, features);
  }

  /** Delete samples, and overwrite their bytes; throws DataError if an ID is unknown. */
  forget(ids: readonly number[]): void {
    this.#database.writing(() => {
      const stored = new Set(this.samples().map(({ id }) => id));
      const unknown = ids.filter((id) => !stored.has(id));
      if (unknown.length > 0) {
        throw new DataError(`the store has no sample ${unknown.join(', ')}`);
      }
      deleteSamples(this.#database, new Set(ids));
      this.#database.eraseAfter();
    });
  }

  /** Delete the targets of a class and the samples without other targets. */
  forgetClass(label: string): void {
    this.#database.writing(() => {
      deleteTargets(this.#database, label);
      this.#database.eraseAfter();
    });
  }

  /** Rename a class that is in the store. */
  rename(old: string, name: string): void {
    checkLabel(name);
    this.#database.writing(() => renameClass(this.#database, old, name));
  }

  /** Return a thumbnail or photo, or undefined. */
  image(id: number, kind: typeof STORE_THUMBNAIL | typeof STORE_PHOTO): Uint8Array | undefined {
    return readImage(this.#database, id, kind);
  }

  /** Return the texts of the app whose keys start with `prefix`: key → text. */
  appData(prefix: string): Map<string, string> {
    return readAppData(this.#database, prefix);
  }

  /** Store a text of the app, which stays with the samples; undefined deletes it. */
  setAppData(key: string, text: string | undefined): void {
    this.#database.writing(() => writeAppData(this.#database, key, text));
  }

  /** Return class key → name, or null for a removed class. */
  classKeys(): Map<string, string | null> {
    return readClassKeys(this.#database);
  }

  /** Record that classes without samples are removed from the model. */
  recordRemoved(keys: readonly string[]): void {
    this.#database.writing(() => writeRemoved(this.#database, keys));
  }

  /** Read every sample; throws StoreError if one is damaged, or does not fit the model. */
  check(): void {
    for (const sample of this.samples()) {
      readFeatures(this.#database, this.#codec, sample);
      readImage(this.#database, sample.id, STORE_THUMBNAIL);
      readImage(this.#database, sample.id, STORE_PHOTO);
    }
  }

  /** Return the content as the bytes of a file. */
  export(): Promise<Uint8Array> {
    return this.#database.export();
  }

  /**
   * Replace all samples by those of another store, which is checked; forget the old ones.
   *
   * @param other - the other store.
   * @param removed - keys of classes that are removed, too.
   */
  replace(other: SampleStore, removed: readonly string[]): void {
    this.#database.writing(() => {
      deleteSamples(
        this.#database,
        this.samples().map(({ id }) => id),
      );
      writeRemoved(this.#database, removed);
      copyAll(other.#database, this.#database);
      this.#database.eraseAfter();
    });
  }

  /** Close the file. May be called again. */
  close(): void {
    this.#database.close();
  }
}
