/** The import of files: photos become samples; models, checkpoints and projects are opened. */

import { signal } from '@preact/signals';
import { type FileInFolder, kindOf } from './dropped_files.js';
import type { Messages } from './messages.js';
import { loadCheckpoint, loadProject, openModelFile } from './opened_files.js';
import type { Predictor } from './predictor.js';
import type { Project } from './project.js';
import type { Trainer } from './trainer.js';

/** The progress of an import. */
export interface ImportProgress {
  readonly done: number;
  readonly total: number;
}

const READS = 'photos, .tflite models, .safetensors checkpoints and .sartor projects';

/** Imports the files of the user. */
export class Importer {
  readonly progress = signal<ImportProgress | undefined>(undefined);
  readonly #project: Project;
  readonly #predictor: Predictor;
  readonly #trainer: Trainer;
  readonly #messages: Messages;

  constructor(project: Project, predictor: Predictor, trainer: Trainer, messages: Messages) {
    this.#project = project;
    this.#predictor = predictor;
    this.#trainer = trainer;
    this.#messages = messages;
  }

  /**
   * Import files.
   *
   * @param files - photos, or one model, checkpoint or project.
   * @param label - class of the photos. Default: the folder of each; a photo without folder is
   *   predicted.
   */
  async import(files: readonly FileInFolder[], label?: string): Promise<void> {
    const photos = files.filter(({ file }) => kindOf(file) === 'photo');
    const others = files.filter(({ file }) => kindOf(file) !== 'photo');
    const [other] = others;
    if (photos.length > 0) {
      await this.#importPhotos(photos, label);
      this.#reportSkipped(others.length);
    } else if (other !== undefined) {
      await this.#open(other.file);
    } else if (files.length === 0) {
      this.#messages.error(`There are no files in the folder. The app reads ${READS}`);
    }
  }

  async #importPhotos(photos: readonly FileInFolder[], label: string | undefined): Promise<void> {
    const [first] = photos;
    if (photos.length === 1 && first !== undefined && !(label ?? first.folder)) {
      await this.#attempt(() => this.#predictor.predictPhoto(first.file));
      return;
    }
    let count = 0;
    const failures: Error[] = [];
    this.progress.value = { done: 0, total: photos.length };
    if (label === undefined) {
      await this.#project.removePlaceholders();
    }
    for (const [index, { file, folder }] of photos.entries()) {
      const name = label ?? folder;
      try {
        if (name === undefined) {
          throw new Error('Drop photos onto a class, or folders whose names are the classes');
        }
        await this.#project.addSample(file, name, this.#predictor.isTest.value);
        count += 1;
      } catch (error) {
        failures.push(error as Error);
      }
      this.progress.value = { done: index + 1, total: photos.length };
    }
    if (this.#project.classes.value.length === 0) {
      await this.#project.clear();
    }
    this.progress.value = undefined;
    const [failure] = failures;
    if (failure !== undefined) {
      const all = failures.length > 1 ? `${failures.length} photos were not added. ` : '';
      this.#messages.error(`${all}${failure.message}`);
    }
    if (count > 0) {
      this.#messages.note(`${count} ${count === 1 ? 'photo' : 'photos'} added.`);
    }
  }

  #reportSkipped(count: number): void {
    if (count > 0) {
      this.#messages.note(`${count} other files were skipped.`);
    }
  }

  async #open(file: File): Promise<void> {
    const kind = kindOf(file);
    await this.#attempt(async () => {
      if (kind === 'model') {
        const onProgress = (done: number, total: number) => {
          this.progress.value = { done, total };
        };
        const notes = await openModelFile(this.#project, file, onProgress);
        this.#report(notes, `${file.name} is open.`);
      } else if (kind === 'checkpoint') {
        this.#report(await loadCheckpoint(this.#project, file), `${file.name} is loaded.`);
      } else if (kind === 'project') {
        if (!this.#mayReplaceSamples(file.name)) {
          return;
        }
        this.#report(await loadProject(this.#project, file), `${file.name} is loaded.`);
      } else {
        throw new Error(`${file.name} cannot be read. The app reads ${READS}`);
      }
      this.#trainer.clear();
    });
  }

  /** Ask the user before a project replaces samples. */
  #mayReplaceSamples(name: string): boolean {
    const { training, test } = this.#project.counts.value;
    const question = `${name} replaces all samples of its base on this device. Save the present project first if you need it. Replace them?`;
    return training + test === 0 || window.confirm(question);
  }

  #report(notes: readonly string[], success: string): void {
    for (const note of notes.length > 0 ? notes : [success]) {
      this.#messages.note(note);
    }
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#messages.error(error);
    } finally {
      this.progress.value = undefined;
    }
  }
}
