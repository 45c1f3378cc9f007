/** Projects: a model, its checkpoint and its samples in one file. */

import type { Bytes } from '../contract/bytes.js';
import { readZip, ZipError, zipParts } from '../contract/zip.js';
import { DataError } from '../errors.js';

/** Names of the files in a project. */
export const MODEL = 'model.tflite';
export const CHECKPOINT = 'checkpoint.safetensors';
export const SAMPLES = 'checkpoint.samples';

const NAMES = [CHECKPOINT, SAMPLES, MODEL] as const; // sorted
const ADVICE = 'Give a file from exportProject, or from `sartor export`.';

/** The files of a project. */
export interface Project {
  readonly model: Uint8Array;
  readonly checkpoint: Uint8Array;
  readonly samples: Uint8Array;
}

/** Return a project as one file. */
export function packProject({ model, checkpoint, samples }: Project): Blob {
  const contents = { [MODEL]: model, [CHECKPOINT]: checkpoint, [SAMPLES]: samples };
  const files = new Map(NAMES.map((name) => [name, contents[name]]));
  return new Blob(zipParts(files) as Bytes[], { type: 'application/zip' });
}

/**
 * Return the files of a project; their checksums are compared.
 *
 * @throws DataError if the file is not a project, or is damaged.
 */
export async function unpackProject(content: Bytes): Promise<Project & Record<string, Bytes>> {
  try {
    const entries = readZip(content);
    const names = entries.map(({ name }) => name).sort();
    if (names.join() !== NAMES.join()) {
      throw new ZipError(
        `it has the files ${names.slice(0, 5).join(', ') || 'nothing'}, expected ${NAMES.join(', ')}`,
      );
    }
    if (entries.some(({ compressed }) => compressed)) {
      throw new ZipError('it is compressed; a project is an uncompressed archive');
    }
    const contentOf = async (name: string) => {
      const entry = entries.find((each) => each.name === name);
      return (await entry?.read()) as Bytes;
    };
    return {
      model: await contentOf(MODEL),
      checkpoint: await contentOf(CHECKPOINT),
      samples: await contentOf(SAMPLES),
    };
  } catch (error) {
    if (error instanceof ZipError) {
      throw new DataError(
        `the file is not a project, or is damaged: ${error.message}. ${ADVICE}`,
        'not-a-project',
      );
    }
    throw error;
  }
}
