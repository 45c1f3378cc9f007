/** The names and keys of the classes of a model, and the changes that a store has recorded. */

import { newKey } from './store/writing.js';

/**
 * The name and the key of each class index.
 *
 * A key identifies a class through renamings. A store is written at once, a checkpoint only when it
 * is saved; so the store decides which class of an older checkpoint was renamed or removed.
 */
export class ClassNames {
  /** Class name of each class index; null for a free one. */
  readonly names: (string | null)[];
  /** Key of each class index; null too for a class whose key is in no store yet. */
  readonly keys: (string | null)[];

  constructor(names: readonly (string | null)[], keys: readonly (string | null)[] | null = null) {
    this.names = [...names];
    this.keys = [...(keys ?? names)];
  }

  /** Class name → class index, in the order of the indices. */
  get indices(): Map<string, number> {
    const indices = new Map<string, number>();
    this.names.forEach((name, index) => {
      if (name !== null) {
        indices.set(name, index);
      }
    });
    return indices;
  }

  /** Number of free class indices. */
  get free(): number {
    return this.names.filter((name) => name === null).length;
  }

  /** Class name → key, of the classes that have one. */
  get keysByName(): Map<string, string> {
    const keys = new Map<string, string>();
    this.names.forEach((name, index) => {
      const key = this.keys[index] ?? null;
      if (name !== null && key !== null) {
        keys.set(name, key);
      }
    });
    return keys;
  }

  /** Return the key of each class index; a class without one gets it. */
  completeKeys(): (string | null)[] {
    this.names.forEach((name, index) => {
      if (name !== null) {
        this.keys[index] ??= newKey();
      }
    });
    return [...this.keys];
  }

  /** Give the first free class index to a new class. */
  add(name: string): void {
    const index = this.names.indexOf(null);
    this.names[index] = name;
    this.keys[index] = null;
  }

  /** Free the index of a class, and return it. */
  remove(name: string): number {
    const index = this.names.indexOf(name);
    this.names[index] = null;
    this.keys[index] = null;
    return index;
  }

  /** Rename a class. */
  rename(old: string, name: string): void {
    this.names[this.names.indexOf(old)] = name;
  }

  /**
   * Return the names and keys after the changes of a store.
   *
   * @param stored - class key → name, or null for a removed class.
   */
  following(stored: ReadonlyMap<string, string | null>): ClassNames {
    const keys = new Map<string, string>();
    for (const [key, name] of stored) {
      if (name !== null) {
        keys.set(name, key);
      }
    }
    const result = new ClassNames(this.names, this.keys);
    this.names.forEach((name, index) => {
      if (name === null) {
        return;
      }
      const key = this.keys[index] ?? null;
      const other = keys.get(name);
      if (key !== null && stored.has(key)) {
        result.names[index] = stored.get(key) ?? null;
      } else if (other !== undefined) {
        result.keys[index] = other; // the same class, from another device
        if (this.keys.includes(other)) {
          result.names[index] = null; // another class took the name
        }
      }
      if (result.names[index] === null) {
        result.keys[index] = null;
      }
    });
    return result;
  }
}
