/** Model files. LiteRT.js loads no file that has not passed these checks. */

import { MANIFEST_FILE, type Manifest } from '../../../../contract/generated/contract.js';
import { type Bytes, decodeText } from '../contract/bytes.js';
import { modelDigest } from '../contract/digest.js';
import { parseManifest } from '../contract/manifest.js';
import { readZip, type ZipEntry, ZipError } from '../contract/zip.js';
import { volume } from '../data/batches.js';
import { InvalidModelError, NotPersonalizableError } from '../errors.js';

const IDENTIFIER = 'TFL3'; // at byte 4 of a .tflite file
const CONVERT = 'Make one with `sartor convert MODEL -o OUT.tflite --classes N`.';

/** A personalizable file that has passed all checks. */
export interface ModelFile {
  /** Bytes of the file. */
  readonly content: Bytes;
  /** All bytes before the appended ZIP archive. */
  readonly flatbuffer: Bytes;
  readonly manifest: Manifest;
  /** Files of the archive: name → content. */
  readonly files: ReadonlyMap<string, Bytes>;
  /** Name of the file, for messages. */
  readonly name: string;
}

/**
 * Check a personalizable file.
 *
 * @param content - bytes of the file.
 * @param name - name of the file, for messages.
 * @throws InvalidModelError if the file is not a model, or is damaged.
 * @throws NotPersonalizableError if the model does not fulfill the contract.
 */
export async function checkModelFile(content: Bytes, name: string): Promise<ModelFile> {
  if (String.fromCharCode(...content.subarray(4, 8)) !== IDENTIFIER) {
    throw new InvalidModelError(`${name} is not a .tflite model. ${CONVERT}`);
  }
  const entries = entriesOf(content, name);
  const flatbuffer = content.subarray(0, Math.min(...entries.map(({ start }) => start)));
  const files = new Map<string, Bytes>();
  for (const entry of entries) {
    files.set(entry.name, await contentOf(entry, name));
  }
  const manifest = manifestOf(files.get(MANIFEST_FILE) as Bytes, name);
  if (manifest.digest !== (await modelDigest(flatbuffer))) {
    throw new InvalidModelError(
      `${name} is damaged, or changed by another tool: its bytes do not match the digest in ` +
        `${MANIFEST_FILE}. Use another copy, or convert the base again.`,
    );
  }
  checkOffsets(manifest, flatbuffer, name);
  return { content, flatbuffer, manifest, files, name };
}

function entriesOf(content: Bytes, name: string): ZipEntry[] {
  let entries: ZipEntry[] = [];
  let reason = '';
  try {
    entries = readZip(content);
  } catch (error) {
    if (!(error instanceof ZipError)) {
      throw error;
    }
    reason = ` (${error.message})`;
  }
  if (!entries.some((entry) => entry.name === MANIFEST_FILE)) {
    throw new NotPersonalizableError(
      `${name} is a model, but not a personalizable one, or its end is missing: it contains no ` +
        `${MANIFEST_FILE}${reason}. ${CONVERT}`,
    );
  }
  return entries;
}

async function contentOf(entry: ZipEntry, name: string): Promise<Bytes> {
  try {
    return await entry.read();
  } catch (error) {
    throw new InvalidModelError(
      `${name}: the files after the model: ${(error as Error).message}. Use another copy.`,
    );
  }
}

function manifestOf(text: Bytes, name: string): Manifest {
  try {
    return parseManifest(decodeText(text));
  } catch (error) {
    throw new NotPersonalizableError(`${name}: ${(error as Error).message}`);
  }
}

function checkOffsets(manifest: Manifest, flatbuffer: Bytes, name: string): void {
  for (const { name: variable, shape, offset } of manifest.variables) {
    if (offset + 4 * volume(shape) > flatbuffer.length) {
      throw new InvalidModelError(
        `${name}: ${MANIFEST_FILE} places the initial value of ${variable} at byte ${offset}, ` +
          'behind the end of the model. Convert the base again.',
      );
    }
  }
}
