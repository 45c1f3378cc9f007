/** The samples of a model: the store, and the classes that its samples define. */

import type { Manifest } from '../../../contract/generated/contract.js';
import { TASKS } from './data/tasks.js';
import { DataError } from './errors.js';
import { range } from './numbers.js';
import type { ModelState } from './state.js';
import { checkLabel } from './store/checks.js';
import { type SampleSet, takeSamples } from './store/sample_set.js';
import type { SampleOfStore, SampleStore } from './store/store.js';
import type { Features } from './store/stored_features.js';
import type { StoredSample } from './worker/messages.js';

const EMPTY_CLASSES = 'sartor/empty_classes'; // key of the app's data: names as JSON

/**
 * The samples of a model, kept in step with its classes.
 *
 * Each sample imprints its class until the class is trained; a class without samples is removed. The
 * methods must run one at a time: the caller holds a lock.
 */
export class SampleCollection {
  readonly store: SampleStore;
  readonly #state: ModelState;
  readonly #manifest: Manifest;

  private constructor(store: SampleStore, state: ModelState, manifest: Manifest) {
    this.store = store;
    this.#state = state;
    this.#manifest = manifest;
  }

  /**
   * Imprint the classes of a store, and return its samples.
   *
   * @throws DataError if the samples have more classes than the capacity of the model.
   */
  static async create(
    store: SampleStore,
    state: ModelState,
    manifest: Manifest,
  ): Promise<SampleCollection> {
    const collection = new SampleCollection(store, state, manifest);
    await collection.followStore();
    const labels = [...store.counts().keys()];
    collection.checkCapacity(labels);
    await collection.#imprint(labels);
    return collection;
  }

  /** Throw DataError unless there is a class index for each of these classes. */
  checkCapacity(labels: Iterable<string>): void {
    const classes = this.#state.classIndices;
    const added = [...new Set(labels)].filter((label) => !classes.has(label));
    if (added.length > this.#state.freeClasses) {
      const needed = classes.size + added.length;
      throw new DataError(
        `the model has no free class for ${added.join(', ')}: its capacity is ` +
          `${this.#manifest.classes.length} classes, and ${needed} are needed. Convert the base ` +
          `again with --classes ${needed}; a saved checkpoint loads into it`,
        'no-free-class',
      );
    }
  }

  /** Throw DataError unless the model has these classes. */
  checkClasses(labels: Iterable<string>): void {
    const classes = this.#state.classIndices;
    for (const label of labels) {
      if (!classes.has(label)) {
        const names = [...classes.keys()].join(', ') || 'none';
        throw new DataError(`the model has no class '${label}'; its classes: ${names}`);
      }
    }
  }

  /** Return the stored sample of an identity, unless it has other targets: throws DataError. */
  findSame(source: Uint8Array, targets: ReadonlyMap<string, number>): StoredSample | undefined {
    const stored = this.store.find(source);
    if (stored === undefined) {
      return undefined;
    }
    const pairs = Object.entries(stored.targets);
    if (pairs.length !== targets.size || pairs.some(([name, x]) => targets.get(name) !== x)) {
      const label = pairs.map(([name, value]) => `${name} ${value}`).join(', ');
      throw new DataError(
        `the sample is stored already, as number ${stored.id}, with another label (${label}): ` +
          'forget it first',
        'other-label',
      );
    }
    return stored;
  }

  /** Store a sample, imprint its classes, and return its number. */
  async add(sample: SampleOfStore): Promise<number> {
    const { features, targets, heldOut } = sample;
    this.checkCapacity(targets.keys());
    const id = this.store.add(sample, this.#state.classKeys);
    const rows = this.store.round(features);
    for (const [label, target] of targets) {
      const isMember = this.store.belongs(target) && !heldOut;
      await this.#state.addSample(label, isMember ? rows : undefined);
    }
    await this.followStore(); // a new class has got its key
    this.#forgetFilledClasses();
    this.#state.samplesSeen += 1;
    return id;
  }

  /** Rename and remove the classes that were renamed and removed in the store. */
  async followStore(): Promise<void> {
    await this.#state.follow(this.store.classKeys());
  }

  /** Delete samples, and what was computed from them; remove classes without samples. */
  async forget(ids: readonly number[]): Promise<void> {
    const before = this.store.counts();
    this.store.forget(ids);
    const after = this.store.counts();
    for (const label of before.keys()) {
      if (!after.get(label) && this.#state.classIndices.has(label)) {
        await this.#state.remove(label);
      }
    }
    const rows = this.store.select(false);
    await this.#state.forgetSamples(this.#featuresOfClasses(rows, this.#state.newClasses));
  }

  /** Add the name of a class that has no sample. */
  addEmptyClass(label: string): void {
    this.#checkNewName(label);
    const empty = this.emptyClasses;
    const capacity = this.#manifest.classes.length;
    if (this.#state.classIndices.size + empty.length >= capacity) {
      throw new DataError(
        `the model has no free class for '${label}': its capacity is ${capacity} classes`,
        'no-free-class',
      );
    }
    this.#setEmptyClasses([...empty, label]);
  }

  /** Names of the classes that have no sample yet, in the order of adding. */
  get emptyClasses(): string[] {
    const names = this.#storedEmptyClasses.filter((name) => !this.#state.classIndices.has(name));
    return names.slice(0, this.#state.freeClasses);
  }

  /** Delete a class and its samples. */
  async removeClass(label: string): Promise<void> {
    const empty = this.emptyClasses;
    if (empty.includes(label)) {
      this.#setEmptyClasses(empty.filter((name) => name !== label));
      return;
    }
    this.checkClasses([label]);
    const key = this.#state.classKeys.get(label);
    if (this.store.counts().has(label)) {
      this.store.forgetClass(label);
    } else if (key !== undefined) {
      this.store.recordRemoved([key]);
    }
    await this.#state.remove(label);
  }

  /** Rename a class; throws DataError if the name is that of another class, or not a name. */
  renameClass(label: string, name: string): void {
    const empty = this.emptyClasses;
    if (!empty.includes(label)) {
      this.checkClasses([label]);
    }
    if (label === name) {
      return;
    }
    this.#checkNewName(name);
    if (empty.includes(label)) {
      this.#setEmptyClasses(empty.map((each) => (each === label ? name : each)));
      return;
    }
    if (this.store.counts().has(label)) {
      this.store.rename(label, name);
    }
    this.#state.rename(label, name);
  }

  /** Return the held-out samples, or all samples if none is held out. */
  evaluationSet(): SampleSet {
    const rows = this.store.select(true);
    return rows.samples.length > 0 ? rows : this.store.select();
  }

  /** Imprint the classes that a loaded checkpoint lacks, up to the capacity. */
  async imprintStoredClasses(): Promise<void> {
    await this.followStore();
    const labels = [...this.store.counts().keys()];
    const isOld = (label: string) => this.#state.classIndices.has(label);
    const added = labels.filter((label) => !isOld(label)).slice(0, this.#state.freeClasses);
    await this.#imprint([...labels.filter(isOld), ...added]);
    await this.#state.keepLoadedWeights();
  }

  /** Imprint the classes that no training has changed, for other weights of tuned layers. */
  async imprintNewClasses(): Promise<void> {
    const added = this.#state.newClasses;
    if (added.length > 0) {
      await this.#state.imprint(this.#featuresOfClasses(this.store.select(false), added));
    }
  }

  #checkNewName(name: string): void {
    checkName(name);
    if (this.#state.classIndices.has(name) || this.emptyClasses.includes(name)) {
      throw new DataError(
        `the model has a class '${name}' already: choose another name`,
        'name-in-use',
      );
    }
  }

  /** Remove the classes that have got a sample from the stored names of empty classes. */
  #forgetFilledClasses(): void {
    const empty = this.emptyClasses;
    if (this.#storedEmptyClasses.length > empty.length) {
      this.#setEmptyClasses(empty);
    }
  }

  get #storedEmptyClasses(): string[] {
    return namesIn(this.store.appData(EMPTY_CLASSES).get(EMPTY_CLASSES));
  }

  #setEmptyClasses(names: readonly string[]): void {
    const text = names.length > 0 ? JSON.stringify(names) : undefined;
    this.store.setAppData(EMPTY_CLASSES, text);
  }

  /** Imprint the classes that have no weights yet, from their stored samples. */
  async #imprint(labels: readonly string[]): Promise<void> {
    const added = labels.filter((label) => this.#state.needsSamples(label));
    if (added.length > 0) {
      const rows = this.store.select(false);
      await this.#state.imprint(this.#featuresOfClasses(rows, added));
    }
  }

  #featuresOfClasses(rows: SampleSet, labels: readonly string[]) {
    return new Map(labels.map((label) => [label, this.#featuresOf(rows, label)]));
  }

  /** Return the features of the samples of a class; `SampleStore.counts` counts the same. */
  #featuresOf(rows: SampleSet, label: string): Features {
    const column = rows.classes.indexOf(label);
    const belongs = (row: number) => this.store.belongs(rows.targets.at(row, column));
    const members = column < 0 ? [] : range(rows.samples.length).filter(belongs);
    return takeSamples(rows, members).features;
  }
}

/** Throw DataError if a value cannot be the name of a class. */
function checkName(name: unknown): asserts name is string {
  checkLabel(name);
  TASKS.multi_label.targets({ [name as string]: true }, []);
}

/** Return the names in a text, which a project may have brought; none if it is another text. */
function namesIn(text: string | undefined): string[] {
  try {
    const names: string[] = JSON.parse(text ?? '[]');
    names.forEach(checkName);
    return [...new Set(names)];
  } catch {
    return [];
  }
}
