/** The models, checkpoints and projects that the user opens. */

import { PersonalModel } from 'sartor';
import { chooseFile, useFile } from './bases.js';
import type { Project } from './project.js';

/**
 * Open a personalizable file. If it has no classes, the samples of the project move to it.
 *
 * @returns messages to the user; none if nothing is to say.
 */
export async function openModelFile(
  project: Project,
  file: File,
  onProgress: (done: number, total: number) => void,
): Promise<readonly string[]> {
  const notes = await project.moveTo(await useFile(file), onProgress);
  await chooseFile(file);
  return notes;
}

/** Load a checkpoint into the open model. */
export async function loadCheckpoint(project: Project, file: File): Promise<readonly string[]> {
  const notes = await project.model.loadCheckpoint(file);
  await project.reload();
  return notes;
}

/** Load a project into the open model, or into its own one if it has another base. */
export async function loadProject(project: Project, file: File): Promise<readonly string[]> {
  let notes: readonly string[];
  try {
    notes = await project.model.importProject(file);
  } catch (error) {
    if (!/with another (base|head)|of another base/.test((error as Error).message)) {
      throw error;
    }
    return openProject(project, file);
  }
  await project.reload();
  return notes;
}

/** Open the model of a project, and load the project into it. */
async function openProject(project: Project, file: File): Promise<readonly string[]> {
  const former = project.base.value;
  const content = await PersonalModel.modelOfProject(file);
  const model = new File([content as BlobPart], file.name.replace(/(\.\w+)?$/, '.tflite'));
  await project.open(await useFile(model));
  try {
    await project.model.importProject(file);
  } catch (error) {
    if (former !== undefined) {
      await project.open(former);
    }
    throw error;
  }
  await chooseFile(model);
  await project.reload();
  return [`${file.name} is loaded, with its own base.`];
}
