/** Saves the checkpoint of a model in its storage: soon after a change, and on request. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import { SartorError } from '../errors.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../saved/checkpoint.js';
import type { ModelState } from '../state.js';
import type { SavedFiles } from '../store/saved_files.js';
import type { Lock } from './lock.js';

const DELAY = 500; // ms after a change; more changes in this time are saved together
const FINGERPRINT = 16; // digits

/** Saves the state of a model. */
export class Saver {
  readonly #files: SavedFiles;
  readonly #state: ModelState;
  readonly #lock: Lock;
  readonly #name: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param files - files in the storage.
   * @param state - state to save.
   * @param lock - held while the state is read.
   * @param manifest - manifest of the model; each head has a checkpoint of its own.
   */
  constructor(files: SavedFiles, state: ModelState, lock: Lock, manifest: Manifest) {
    this.#files = files;
    this.#state = state;
    this.#lock = lock;
    this.#name = `checkpoint ${manifest.fingerprints.head.slice(0, FINGERPRINT)}`;
  }

  /**
   * Return the saved checkpoint, or undefined if there is none.
   *
   * @throws CheckpointError, StoreError if it is damaged.
   */
  async read(): Promise<Checkpoint | undefined> {
    const content = this.#files.read(this.#name);
    return content && readCheckpoint(content, 'the saved checkpoint');
  }

  /** Keep a checkpoint that cannot be loaded, when the next one is saved. */
  setAside(): void {
    this.#files.rename(this.#name, `${this.#name} (not loaded)`);
  }

  /** Save soon. A save that fails is repeated after the next change, and by `save`. */
  schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#lock
        .run(() => this.saveUnlocked())
        .catch((error) => console.warn(error instanceof SartorError ? error.message : error));
    }, DELAY);
  }

  /** Save now; the caller does not hold the lock. */
  save(): Promise<void> {
    return this.#lock.run(() => this.saveUnlocked());
  }

  /**
   * Save now; the caller holds the lock.
   *
   * @throws StoreError if the storage is full; the old checkpoint stays.
   */
  async saveUnlocked(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const content = await writeCheckpoint(await this.#state.checkpoint());
    this.#files.write(this.#name, content);
  }

  /** Stop the timer and close the storage. */
  close(): void {
    clearTimeout(this.#timer);
    this.#files.close();
  }
}
