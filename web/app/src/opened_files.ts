/** The models, checkpoints and projects that the user opens. */

import { DataError, PersonalModel, SartorError } from 'sartor';
import { moveTo } from './moving.js';
import { baseOfFile } from './opened_bases.js';
import type { Project } from './project.js';
import { saveResult } from './saved_results.js';

/**
 * Open a personalizable file. If it has no classes, the samples of the project move to it.
 *
 * @returns sentence for the user.
 */
export async function openModelFile(
  project: Project,
  file: File,
  onProgress: (done: number, total: number) => void,
): Promise<string> {
  return moveTo(project, await baseOfFile(file, file.name), onProgress);
}

/** Load a checkpoint into the open model. */
export async function loadCheckpoint(project: Project, file: File): Promise<string> {
  await project.model.loadCheckpoint(file);
  await saveResult(project.model, undefined); // the stored result is that of other weights
  await project.reload();
  return `${file.name} is loaded.`;
}

/**
 * Load a project into the open model, or into its own one if it has another base.
 *
 * @param mayReplace - returns true if the user lets the project replace the samples of its base.
 * @returns sentence for the user; undefined if the user refuses.
 */
export async function loadProject(
  project: Project,
  file: File,
  mayReplace: () => boolean,
): Promise<string | undefined> {
  try {
    return await importProject(project, file, mayReplace);
  } catch (error) {
    const isDamaged = error instanceof SartorError && error.code === undefined; // one of its parts
    throw isDamaged ? new DataError(error.message, 'not-a-project') : error;
  }
}

async function importProject(
  project: Project,
  file: File,
  mayReplace: () => boolean,
): Promise<string | undefined> {
  if (project.state.value !== 'open') {
    return openProject(project, file, mayReplace);
  }
  if (!mayReplace()) {
    return undefined;
  }
  try {
    await project.model.importProject(file);
  } catch (error) {
    if (error instanceof SartorError && error.code === 'other-model') {
      return openProject(project, file, mayReplace);
    }
    throw error;
  }
  await project.reload();
  return `${file.name} is loaded.`;
}

/** Open the model of a project, and load the project into it. */
async function openProject(
  project: Project,
  file: File,
  mayReplace: () => boolean,
): Promise<string | undefined> {
  const former = project.base.value;
  const content = await PersonalModel.modelOfProject(file);
  const hadSamples = project.state.value === 'open' && hasSamples(project);
  const base = await baseOfFile(new Blob([content as BlobPart]), file.name);
  const wasOpened = project.opened.list.value.find(({ key }) => key === base.key);
  await project.open(base);
  const goBack = async () => {
    if (former !== undefined) {
      await project.open(former);
    }
    if (wasOpened === undefined) {
      await project.opened.remove(base);
    }
  };
  if (!hadSamples && !mayReplace()) {
    await goBack();
    return undefined;
  }
  try {
    await project.model.importProject(file);
  } catch (error) {
    await goBack();
    throw error;
  }
  await project.reload();
  const stay = hadSamples ? ` Your former samples stay with ${former?.name}, in the menu.` : '';
  return `${file.name} is loaded, with its own base.${stay}`;
}

function hasSamples({ counts }: Project): boolean {
  return counts.value.training + counts.value.test > 0;
}
