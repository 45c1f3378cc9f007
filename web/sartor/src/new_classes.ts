/** The classes that no training has changed, and the means of their samples. */

import type { FeatureSpec } from '../../../contract/generated/contract.js';
import { volume } from './data/batches.js';
import { Matrix } from './data/matrix.js';
import { addTo } from './numbers.js';

/** The mean features of the samples of a class, from running sums in float64. */
export class FeatureMean {
  #count = 0;
  readonly #sums: readonly Float64Array[];

  /** @param specs - descriptions of the features tensors, from the manifest. */
  constructor(specs: readonly FeatureSpec[]) {
    this.#sums = specs.map(({ shape }) => new Float64Array(volume(shape)));
  }

  /** Number of rows until now. */
  get count(): number {
    return this.#count;
  }

  /** Add rows of each features tensor; there may be none. */
  add(features: readonly Matrix[]): void {
    this.#count += features[0]?.rows ?? 0;
    features.forEach((matrix, tensor) => {
      const sums = this.#sums[tensor] as Float64Array;
      const totals = new Float64Array(sums.length); // rows first, as NumPy adds
      for (let row = 0; row < matrix.rows; row += 1) {
        addTo(totals, matrix.row(row));
      }
      totals.forEach((total, column) => {
        sums[column] = (sums[column] as number) + total;
      });
    });
  }

  /** Return the mean as one row of each features tensor; no row if there is none. */
  row(): Matrix[] {
    return this.#sums.map((sums) => {
      const values = this.#count === 0 ? [] : sums.map((total) => total / this.#count);
      return new Matrix(Float32Array.from(values), sums.length);
    });
  }
}

/** The classes that no training has changed, with the means of their samples. */
export class NewClasses {
  /** Class name → mean of its samples. */
  means = new Map<string, FeatureMean>();
  /** Names of the classes with samples that their weights do not contain yet. */
  changed = new Set<string>();
  #inTraining = new Map<string, FeatureMean>();

  /** @param specs - descriptions of the features tensors, from the manifest. */
  constructor(private readonly specs: readonly FeatureSpec[]) {}

  /** Return whether no training has changed a class. */
  has(label: string): boolean {
    return this.means.has(label);
  }

  /** Return whether a class has samples. */
  hasSamples(label: string): boolean {
    return (this.means.get(label)?.count ?? 0) > 0;
  }

  /** Include classes that have weights already, or zeros. */
  include(labels: Iterable<string>): void {
    for (const label of labels) {
      if (!this.means.has(label)) {
        this.means.set(label, new FeatureMean(this.specs));
      }
    }
  }

  /** Exclude classes, which are trained. */
  exclude(labels: Iterable<string>): void {
    for (const label of labels) {
      this.means.delete(label);
      this.changed.delete(label);
    }
  }

  /** Add a class without samples. */
  addClass(label: string): void {
    this.include([label]);
    this.changed.add(label);
  }

  /** Add samples of a class: rows of each features tensor. */
  addSamples(label: string, features: readonly Matrix[]): void {
    this.include([label]);
    this.means.get(label)?.add(features);
    this.changed.add(label);
  }

  /** Replace all samples of a class: rows of each features tensor. */
  setSamples(label: string, features: readonly Matrix[]): void {
    this.means.set(label, new FeatureMean(this.specs));
    this.addSamples(label, features);
  }

  /**
   * Rename classes.
   *
   * @param renamed - old name → new name.
   */
  rename(renamed: ReadonlyMap<string, string>): void {
    const rename = (label: string) => renamed.get(label) ?? label;
    const renameKeys = (means: Map<string, FeatureMean>) =>
      new Map([...means].map(([label, mean]) => [rename(label), mean]));
    this.means = renameKeys(this.means);
    this.#inTraining = renameKeys(this.#inTraining);
    this.changed = new Set([...this.changed].map(rename));
  }

  /** Note the classes of a training: those with samples. */
  beginTraining(): void {
    this.#inTraining = new Map([...this.means].filter(([, mean]) => mean.count > 0));
  }

  /**
   * Remove the classes of the training, or include them again if it has failed.
   *
   * All other classes with samples have to be imprinted again.
   */
  endTraining(outcome: { hasFailed: boolean }): void {
    if (outcome.hasFailed) {
      this.means = new Map([...this.#inTraining, ...this.means]);
    } else {
      this.exclude(this.#inTraining.keys());
    }
    this.changed = new Set([...this.means.keys()].filter((label) => this.hasSamples(label)));
  }
}
