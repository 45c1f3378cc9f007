/** safetensors files of float32 tensors. */

import { type Bytes, bytesOf, concatenate, decodeText, encodeText, floatsOf } from './bytes.js';
import { byCodePoint } from './digest.js';
import { Fields } from './fields.js';

const LENGTH = 8; // bytes of the length of the header
const ALIGNMENT = 8; // bytes
const METADATA = '__metadata__';

/** A problem of a safetensors file, in words. */
export class SafetensorsError extends Error {}

/** A float32 tensor. */
export interface FloatTensor {
  readonly shape: readonly number[];
  /** Values, row by row. */
  readonly data: Float32Array;
}

/** The content of a safetensors file. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, FloatTensor>;
  /** Texts in the header: key → text. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * Read a safetensors file.
 *
 * @throws SafetensorsError if it is not one, is damaged, or has a tensor of another type.
 */
export function readSafetensors(content: Bytes): Safetensors {
  const [header, data] = split(content);
  const metadata = header.values[METADATA] === undefined ? {} : header.object(METADATA).values;
  const names = Object.keys(header.values).filter((name) => name !== METADATA);
  const tensors = new Map<string, FloatTensor>();
  const places: [number, number][] = [];
  for (const name of names) {
    const tensor = header.object(name);
    const [dtype, shape] = [tensor.string('dtype'), sizes(tensor)];
    const [start = -1, end = -1] = tensor.numbers('data_offsets');
    if (dtype !== 'F32') {
      throw new SafetensorsError(`${name} has the type ${dtype}, expected F32 (float32)`);
    }
    if (end - start !== 4 * shape.reduce((a, b) => a * b, 1) || start < 0 || end > data.length) {
      throw new SafetensorsError(`the bytes ${start} to ${end} of ${name} do not fit its shape`);
    }
    places.push([start, end]);
    tensors.set(name, { shape, data: floatsOf(data.subarray(start, end)) });
  }
  checkPlaces(places, data.length);
  return { tensors, metadata };
}

/** Return tensors and texts as a safetensors file. */
export function writeSafetensors({ tensors, metadata }: Safetensors): Bytes {
  const names = [...tensors.keys()].sort(byCodePoint);
  const header: Record<string, unknown> = { [METADATA]: metadata };
  let at = 0;
  for (const name of names) {
    const { shape, data } = tensors.get(name) as FloatTensor;
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const text = encodeText(JSON.stringify(header));
  const padding = encodeText(' '.repeat((ALIGNMENT - (text.length % ALIGNMENT)) % ALIGNMENT));
  const length = new Uint8Array(LENGTH);
  new DataView(length.buffer).setUint32(0, text.length + padding.length, true);
  const values = names.map((name) => bytesOf((tensors.get(name) as FloatTensor).data));
  return concatenate([length, text, padding, ...values]);
}

/** Return the header and the bytes behind it. */
function split(content: Bytes): [Fields, Bytes] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const size = content.length < LENGTH ? Number.NaN : Number(view.getBigUint64(0, true));
  if (!(size <= content.length - LENGTH)) {
    throw new SafetensorsError('its header is cut off');
  }
  const end = LENGTH + size;
  let text: string;
  try {
    text = decodeText(content.subarray(LENGTH, end));
  } catch {
    throw new SafetensorsError('its header is not in UTF-8');
  }
  return [Fields.parse(text, 'its header', SafetensorsError), content.subarray(end)];
}

function sizes(tensor: Fields): readonly number[] {
  const shape = tensor.numbers('shape');
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new SafetensorsError(`${tensor.where}: shape must be a list of sizes`);
  }
  return shape;
}

/** Check that tensors fill the file without gaps: else it contains what no reader sees. */
function checkPlaces(places: readonly [number, number][], size: number): void {
  let at = 0;
  for (const [start, end] of [...places].sort(([a, b], [c, d]) => a - c || b - d)) {
    if (start !== at) {
      throw new SafetensorsError(`a tensor starts at byte ${start}, expected ${at}`);
    }
    at = end;
  }
  if (at !== size) {
    throw new SafetensorsError(`it has ${size} bytes of tensors, expected ${at}`);
  }
}
