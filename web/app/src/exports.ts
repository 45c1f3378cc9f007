/** The files that the user can save. */

import type { PersonalModel } from 'sartor';

/** A file that the user can save. */
export interface Export {
  readonly title: string;
  /** What the file is for. */
  readonly description: string;
  readonly fileName: string;
  readonly content: (model: PersonalModel) => Promise<Uint8Array | Blob>;
}

export const EXPORTS: readonly Export[] = [
  {
    title: 'Project',
    description: 'Model, classes and samples, to continue on another device.',
    fileName: 'project.sartor',
    content: (model) => model.exportProject(),
  },
  {
    title: 'Model',
    description: 'A .tflite file that recognizes your classes, and can still be trained.',
    fileName: 'model.tflite',
    content: (model) => model.bake(),
  },
  {
    title: 'Plain classifier',
    description: 'A .tflite file for other apps, such as MediaPipe. It cannot be trained.',
    fileName: 'classifier.tflite',
    content: (model) => model.freeze(),
  },
  {
    title: 'Checkpoint',
    description: 'Only the trained weights, for the same base.',
    fileName: 'checkpoint.safetensors',
    content: (model) => model.saveCheckpoint(),
  },
];

/** Save a file: the browser asks where, or puts it into the folder of downloads. */
export async function saveExport(model: PersonalModel, item: Export): Promise<void> {
  const content = await item.content(model);
  const url = URL.createObjectURL(new Blob([content as BlobPart]));
  const link = document.createElement('a');
  link.href = url;
  link.download = item.fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
