/** The import of files: photos become samples; models, checkpoints and projects are opened. */

import { signal } from '@preact/signals';
import { type FileInFolder, type FileKind, kindOf } from './dropped_files.js';
import type { Messages } from './messages.js';
import { loadCheckpoint, loadProject, openModelFile } from './opened_files.js';
import type { Predictor } from './predictor.js';
import type { Project } from './project.js';

/** The progress of an import. */
export interface ImportProgress {
  readonly done: number;
  readonly total: number;
  /** Whether `stop` ends it. */
  readonly canStop?: boolean;
}

const READS = 'photos, .tflite models, .safetensors checkpoints and .sartor projects';

type Opener = (
  project: Project,
  file: File,
  onProgress: (done: number, total: number) => void,
) => Promise<string | undefined>;

/** Kind of a file → function that opens it, and returns a sentence for the user. */
const OPENERS: Readonly<Partial<Record<FileKind, Opener>>> = {
  model: openModelFile,
  checkpoint: loadCheckpoint,
  project: (project, file) => loadProject(project, file, () => mayReplace(project, file.name)),
};

/** Ask the user before a project replaces samples. */
function mayReplace({ counts }: Project, name: string): boolean {
  const { training, test } = counts.value;
  const question = `${name} replaces all samples of its base on this device. Save the present project first if you need it. Replace them?`;
  return training + test === 0 || window.confirm(question);
}

/** Imports the files of the user. */
export class Importer {
  readonly progress = signal<ImportProgress | undefined>(undefined);
  #isStopped = false;
  readonly #project: Project;
  readonly #predictor: Predictor;
  readonly #messages: Messages;

  constructor(project: Project, predictor: Predictor, messages: Messages) {
    this.#project = project;
    this.#predictor = predictor;
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
      this.#messages.error(`There are no files in the folder. The app reads ${READS}.`);
    }
  }

  /** Add no more photos. */
  stop(): void {
    this.#isStopped = true;
  }

  async #importPhotos(photos: readonly FileInFolder[], label: string | undefined): Promise<void> {
    const [first] = photos;
    if (photos.length === 1 && first !== undefined && !(label ?? first.folder)) {
      const { file } = first;
      await this.#attempt(`${file.name} was not predicted.`, () =>
        this.#predictor.predictPhoto(file),
      );
      return;
    }
    const named = photos.filter(({ folder }) => label ?? folder);
    if (named.length === 0) {
      this.#messages.error('Drop photos onto a class, or folders whose names are the classes.');
      return;
    }
    this.progress.value = { done: 0, total: named.length, canStop: true };
    if (label === undefined) {
      await this.#project.removePlaceholders();
    }
    const { count, failures } = await this.#addPhotos(named, label);
    if (this.#project.classes.value.length === 0) {
      await this.#project.clear();
    }
    this.progress.value = undefined;
    const [failure] = failures;
    if (failure !== undefined) {
      const { name } = failure.photo.file;
      const others = failures.length - 1;
      const failed =
        others > 0 ? `${name} and ${others} more were not added.` : `${name} was not added.`;
      this.#messages.failure(failed, failure.reason);
    }
    if (count > 0) {
      this.#messages.note(`${count} ${count === 1 ? 'photo' : 'photos'} added.`);
    }
    this.#reportSkipped(photos.length - named.length);
  }

  /** Add photos as samples; return their number, and those that failed, with the reasons. */
  async #addPhotos(photos: readonly FileInFolder[], label: string | undefined) {
    const failures: { photo: FileInFolder; reason: unknown }[] = [];
    let count = 0;
    this.#isStopped = false;
    for (const [index, photo] of photos.entries()) {
      if (this.#isStopped) {
        break;
      }
      try {
        const name = (label ?? photo.folder) as string;
        await this.#project.addSample(photo.file, name, this.#predictor.isTest.value);
        count += 1;
      } catch (reason) {
        failures.push({ photo, reason });
      }
      this.progress.value = { done: index + 1, total: photos.length, canStop: true };
    }
    return { count, failures };
  }

  #reportSkipped(count: number): void {
    if (count > 0) {
      this.#messages.note(
        count === 1 ? 'Another file was skipped.' : `${count} other files were skipped.`,
      );
    }
  }

  async #open(file: File): Promise<void> {
    const open = OPENERS[kindOf(file)];
    if (open === undefined) {
      this.#messages.error(`${file.name} cannot be read. The app reads ${READS}.`);
      return;
    }
    await this.#attempt(`${file.name} was not opened.`, async () => {
      const message = await open(this.#project, file, (done, total) => {
        this.progress.value = { done, total };
      });
      if (message !== undefined) {
        this.#messages.note(message);
      }
    });
  }

  async #attempt(failure: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#messages.failure(failure, error);
    } finally {
      this.progress.value = undefined;
    }
  }
}
