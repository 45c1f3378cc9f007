/** The files of a model on the page: its checkpoint, its project, models, and texts of the app. */

import { buffer, type FileContent } from './file_content.js';
import type { WorkerClient } from './worker/client.js';

/** The part of `PersonalModel` that saves and loads. */
export abstract class ModelFiles {
  /** @internal */
  protected readonly client: WorkerClient;

  /** @internal */
  protected constructor(client: WorkerClient) {
    this.client = client;
  }

  /** Return the texts of the app whose keys start with a prefix: key → text. */
  appData(prefix = ''): Promise<ReadonlyMap<string, string>> {
    return this.client.call('appData', [prefix]);
  }

  /** Store a text of the app, which stays with the samples; undefined deletes it. */
  setAppData(key: string, text: string | undefined): Promise<void> {
    return this.client.call('setAppData', [key, text]);
  }

  /** Write the checkpoint into the storage now. Every change does so soon by itself. */
  save(): Promise<void> {
    return this.client.call('save', []);
  }

  /** Go back to the checkpoint in the storage; see `loadCheckpoint`. */
  load(): Promise<readonly string[]> {
    return this.client.call('load', []);
  }

  /** Return the checkpoint, the content of a `.safetensors` file, which Python loads too. */
  saveCheckpoint(): Promise<Uint8Array> {
    return this.client.call('saveCheckpoint', []);
  }

  /**
   * Replace weights and classes by a checkpoint; keep the samples, stop a running training.
   *
   * @returns a message for each part that does not fit the model and was not loaded.
   * @throws CheckpointError if it is damaged or of another model.
   */
  loadCheckpoint(content: FileContent): Promise<readonly string[]> {
    return this.client.call('loadCheckpoint', [buffer(content)]);
  }

  /** Return a `.tflite` file that starts with the present classes and can still be trained. */
  bake(): Promise<Uint8Array> {
    return this.client.call('bake', []);
  }

  /**
   * Return a plain classifier, a `.tflite` file that cannot be trained, with the class names.
   *
   * @throws DataError if there are too few classes.
   * @throws InvalidModelError if the file was converted without it.
   */
  freeze(): Promise<Uint8Array> {
    return this.client.call('freeze', []);
  }

  /** Return model, weights and samples as one file, which Python imports too. */
  exportProject(): Promise<Blob> {
    return this.client.call('exportProject', []);
  }

  /**
   * Replace weights, classes and samples by those of a project; otherwise like `loadCheckpoint`.
   *
   * @throws SartorError if a part is damaged or of another model; nothing is changed.
   */
  importProject(content: FileContent): Promise<readonly string[]> {
    return this.client.call('importProject', [buffer(content)]);
  }
}
