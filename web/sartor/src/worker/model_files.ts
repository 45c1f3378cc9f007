/** The saved forms of the model in the worker: its checkpoint, its projects, and models with it. */

import { DataError } from '../errors.js';
import { bake } from '../saved/bake.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../saved/checkpoint.js';
import { freeze } from '../saved/freeze.js';
import { bytesOf } from './content.js';
import { TrainingJobs } from './jobs.js';
import type { Lock } from './lock.js';
import type { Parts } from './open.js';
import { exportProject, importProject } from './projects.js';

/** The functions of an open model that save and load. */
export abstract class ModelFiles {
  protected readonly parts: Parts;
  protected readonly lock: Lock;
  protected readonly jobs: TrainingJobs;

  /** @param parts - parts of the model. */
  protected constructor(parts: Parts) {
    const { file, samples, state, lock } = parts;
    this.parts = parts;
    this.lock = lock;
    this.jobs = new TrainingJobs(file.manifest, samples, state, lock);
  }

  save(): Promise<void> {
    return this.parts.saver.save();
  }

  async load(): Promise<readonly string[]> {
    const checkpoint = await this.parts.saver.read();
    if (checkpoint === undefined) {
      throw new DataError('there is no saved checkpoint: add a sample first');
    }
    return this.#load(async () => checkpoint, 'the saved checkpoint');
  }

  saveCheckpoint(): Promise<Uint8Array> {
    return this.lock.run(async () => writeCheckpoint(await this.parts.state.checkpoint()));
  }

  async loadCheckpoint(content: Blob | ArrayBuffer): Promise<readonly string[]> {
    const name = content instanceof File ? content.name : 'the checkpoint';
    return this.#load(async () => readCheckpoint(await bytesOf(content), name), name);
  }

  bake(): Promise<Uint8Array> {
    return this.lock.run(async () => {
      const { file, state } = this.parts;
      const initial = await (await state.engine()).initialVariables();
      return bake(file, await state.checkpoint(), initial);
    });
  }

  freeze(): Promise<Uint8Array> {
    return this.lock.run(async () => {
      const { file, state } = this.parts;
      const initial = await (await state.engine()).initialVariables();
      return freeze(file, await state.checkpoint(), initial);
    });
  }

  exportProject(): Promise<Blob> {
    const { file, state, samples } = this.parts;
    return this.lock.run(() => exportProject(file, state, samples));
  }

  async importProject(content: Blob | ArrayBuffer): Promise<readonly string[]> {
    const bytes = await bytesOf(content);
    const { file, state, samples, saver } = this.parts;
    return this.exclusive(async () => {
      const save = () => saver.saveUnlocked();
      const notes = await importProject(bytes, file.manifest, state, samples, save);
      saver.schedule();
      return notes;
    });
  }

  #load(read: () => Promise<Checkpoint>, name: string) {
    const { state, samples, saver } = this.parts;
    return this.exclusive(async () => {
      const before = await state.checkpoint();
      const notes = await state.load(await read(), name);
      try {
        await samples.imprintStoredClasses();
        await saver.saveUnlocked();
      } catch (error) {
        await state.load(before, 'the former state');
        throw error;
      }
      return notes;
    });
  }

  /** Stop a running training, and run work that changes the model. */
  protected async exclusive<T>(work: () => Promise<T>): Promise<T> {
    await this.jobs.stopAndWait();
    return this.lock.run(work);
  }
}
