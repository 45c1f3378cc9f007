/** Open a model in the worker: check the file, load the runtime, the samples and the checkpoint. */

import type { Bytes } from '../contract/bytes.js';
import { DataError, InvalidModelError, SartorError } from '../errors.js';
import { LiteRtEngine } from '../litert/litert_engine.js';
import { checkModelFile, type ModelFile } from '../litert/model_file.js';
import { loadRuntime } from '../litert/runtime.js';
import { SampleCollection } from '../samples.js';
import { ModelState } from '../state.js';
import { SavedFiles } from '../store/saved_files.js';
import { MEMORY, openStorage, type Storage } from '../store/storage.js';
import { SampleStore } from '../store/store.js';
import { Lock } from './lock.js';
import type { ModelOptions } from './messages.js';
import { Saver } from './saver.js';

const FINGERPRINT = 16; // digits

/** The parts of an open model. */
export interface Parts {
  readonly file: ModelFile;
  readonly options: ModelOptions;
  /** Name of the storage. */
  readonly name: string;
  readonly storage: Storage;
  readonly state: ModelState;
  readonly samples: SampleCollection;
  readonly saver: Saver;
  /** Held while samples and state are read or changed. */
  readonly lock: Lock;
  /** Messages about saved parts that do not fit the model, or are damaged. */
  readonly notes: readonly string[];
}

/** Open a model; see `PersonalModel.open`. */
export async function openModel(
  source: string | Blob | ArrayBuffer,
  runtime: string,
  options: ModelOptions,
): Promise<Parts> {
  checkOptions(options);
  const { content, label } = await read(source);
  const file = await checkModelFile(content, label);
  const name = options.name ?? file.manifest.fingerprints.base.slice(0, FINGERPRINT);
  const storage = options.storage === 'memory' ? MEMORY : await openStorage(name);
  try {
    return await openParts(file, runtime, options, name, storage);
  } catch (error) {
    storage.close();
    throw error;
  }
}

async function openParts(
  file: ModelFile,
  runtime: string,
  options: ModelOptions,
  name: string,
  storage: Storage,
): Promise<Parts> {
  const { manifest } = file;
  await loadRuntime(runtime.endsWith('/') ? runtime : `${runtime}/`, options.threads ?? false);
  const state = await ModelState.create(await LiteRtEngine.load(file), manifest);
  const { maxSamples, maxBytes } = options;
  const limits = { maxSamples, maxBytes };
  const connection = await storage.open('samples');
  const store = await SampleStore.open(connection, `the store ${name}`, manifest, limits);
  const samples = await SampleCollection.create(store, state, manifest);
  const lock = new Lock();
  const saver = new Saver(new SavedFiles(await storage.open('state')), state, lock, manifest);
  const notes = await loadSaved(saver, state, samples);
  return { file, options, name, storage, state, samples, saver, lock, notes };
}

/** Load the saved checkpoint, and return messages about parts that were not loaded. */
async function loadSaved(
  saver: Saver,
  state: ModelState,
  samples: SampleCollection,
): Promise<readonly string[]> {
  try {
    const checkpoint = await saver.read();
    if (checkpoint === undefined) {
      return [];
    }
    const notes = await state.load(checkpoint, 'the saved checkpoint');
    await samples.imprintStoredClasses();
    return notes;
  } catch (error) {
    if (!(error instanceof SartorError)) {
      throw error;
    }
    saver.setAside();
    return [
      `${error.message} The classes follow from the stored samples instead: train again, or load ` +
        'another checkpoint.',
    ];
  }
}

async function read(
  source: string | Blob | ArrayBuffer,
): Promise<{ content: Bytes; label: string }> {
  if (typeof source !== 'string') {
    const label = source instanceof File ? source.name : 'the file';
    const buffer = source instanceof Blob ? await source.arrayBuffer() : source;
    return { content: new Uint8Array(buffer), label };
  }
  let status = '';
  try {
    const response = await fetch(source);
    if (response.ok) {
      return { content: new Uint8Array(await response.arrayBuffer()), label: source };
    }
    status = `the server answers ${response.status}`;
  } catch (error) {
    status = (error as Error).message;
  }
  throw new InvalidModelError(`${source} cannot be loaded: ${status}. Check its address.`);
}

const KINDS: Readonly<Record<string, readonly unknown[]>> = {
  storage: ['browser', 'memory', undefined],
  threads: [true, false, undefined],
  thumbnails: [true, false, undefined],
  photos: [true, false, undefined],
};

function checkOptions(options: ModelOptions): void {
  for (const [name, values] of Object.entries(KINDS)) {
    const value = options[name as keyof ModelOptions];
    if (!values.includes(value)) {
      const expected = values.filter((each) => each !== undefined).join(' or ');
      throw new DataError(`${name} must be ${expected}; got ${JSON.stringify(value)}`);
    }
  }
}
