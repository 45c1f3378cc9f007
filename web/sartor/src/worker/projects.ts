/** Export and import of projects: all parts are checked before one is replaced. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import type { Bytes } from '../contract/bytes.js';
import { volume } from '../data/batches.js';
import { DataError } from '../errors.js';
import { checkModelFile, type ModelFile } from '../litert/model_file.js';
import type { SampleCollection } from '../samples.js';
import { adapt } from '../saved/adapt.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../saved/checkpoint.js';
import { CHECKPOINT, MODEL, packProject, SAMPLES, unpackProject } from '../saved/project.js';
import type { ModelState } from '../state.js';
import { openCopy } from '../store/sqlite.js';
import { SampleStore } from '../store/store.js';
import { bytesOf } from './content.js';

/** Return model, checkpoint and samples as one file. */
export async function exportProject(
  file: ModelFile,
  state: ModelState,
  samples: SampleCollection,
): Promise<Blob> {
  return packProject({
    model: file.content,
    checkpoint: await writeCheckpoint(await state.checkpoint()),
    samples: await samples.store.export(),
  });
}

/**
 * Return the model file of a project, after its checksum was compared.
 *
 * @param content - bytes of the project.
 * @throws DataError if the file is not a project, or is damaged.
 */
export async function modelOfProject(content: Blob | ArrayBuffer): Promise<Uint8Array> {
  return (await unpackProject(await bytesOf(content))).model;
}

/**
 * Replace the state and the samples by those of a project.
 *
 * @param content - bytes of the project.
 * @param manifest - manifest of the model that imports.
 * @param state - state to replace.
 * @param samples - samples to replace.
 * @param save - saves the present state.
 * @returns messages about parts that were not loaded.
 * @throws SartorError if a part is damaged or of another model; nothing is changed.
 */
export async function importProject(
  content: Bytes,
  manifest: Manifest,
  state: ModelState,
  samples: SampleCollection,
  save: () => Promise<void>,
): Promise<readonly string[]> {
  const project = await unpackProject(content);
  const file = await checkModelFile(project.model as Bytes, `the project: ${MODEL}`);
  const name = `the project: ${CHECKPOINT}`;
  const checkpoint = await readCheckpoint(project.checkpoint as Bytes, name);
  const connection = await openCopy(project.samples, `the project: ${SAMPLES}`);
  const store = await SampleStore.open(
    connection,
    `the project: ${SAMPLES}`,
    manifest,
    undefined,
    false,
  );
  try {
    store.check();
    checkClasses(store, checkpoint, file.manifest, name);
    const before = await state.checkpoint();
    const isKept = new Set(checkpoint.classKeys);
    const removed = before.classKeys.filter((key) => key !== null && !isKept.has(key)) as string[];
    const notes = await state.load(checkpoint, name);
    try {
      await save();
      samples.store.replace(store, removed);
    } catch (error) {
      await state.load(before, 'the former state');
      await save();
      throw error;
    }
    await samples.imprintStoredClasses();
    return notes;
  } finally {
    store.close();
  }
}

/** Check that checkpoint, model and samples of a project fit together. */
function checkClasses(
  store: SampleStore,
  checkpoint: Checkpoint,
  manifest: Manifest,
  name: string,
): void {
  const zeros = manifest.variables.map((spec) => {
    return [spec.name, new Float32Array(volume(spec.shape))] as const;
  });
  const { classes } = adapt(checkpoint, manifest, Object.fromEntries(zeros), name);
  const added = [...store.counts().keys()].filter((label) => !classes.includes(label));
  if (added.length > classes.filter((label) => label === null).length) {
    throw new DataError(
      `the project has ${added.length} classes that its checkpoint lacks, more than the capacity ` +
        'of its model. Export the project again.',
      'no-free-class',
    );
  }
}
