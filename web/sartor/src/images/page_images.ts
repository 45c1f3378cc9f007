/** The forms in which a page gives an image, and their way to the worker. */

import { DataError } from '../errors.js';
import type { InputArray, WorkerImage, WorkerInput } from '../worker/messages.js';

/**
 * An image: a file (`Blob`, or its bytes as an `ArrayBuffer`), pixels, a frame of a video, or an
 * element that shows one.
 */
export type Image =
  | WorkerImage
  | VideoFrame
  | OffscreenCanvas
  | HTMLImageElement
  | HTMLVideoElement
  | HTMLCanvasElement;

/**
 * An image, or a typed array of exactly the size of the input, which is fed without preprocessing.
 * For a base with several inputs: a record with their names.
 */
export type Input = Image | InputArray | Readonly<Record<string, Image | InputArray>>;

/** An input for the worker, and what moves there with it. */
export interface Delivery {
  readonly input: WorkerInput;
  readonly transfer: readonly Transferable[];
}

/**
 * Return an input in a form that can be sent to a worker.
 *
 * Elements and video frames are copied into a bitmap; files, pixels, bitmaps and arrays are sent as
 * they are, and stay valid on the page.
 *
 * @throws DataError if it is not an image, or shows none yet.
 */
export async function deliver(input: Input): Promise<Delivery> {
  if (typeof input !== 'object' || input === null) {
    throw new DataError(`expected an image, a file or a typed array; got ${typeof input}`);
  }
  if (Object.getPrototypeOf(input) !== Object.prototype) {
    return deliverValue(input as Image | InputArray);
  }
  const names = Object.keys(input);
  const values = Object.values(input as Readonly<Record<string, Image | InputArray>>);
  const parts = await Promise.all(values.map(deliverValue));
  return {
    input: Object.fromEntries(parts.map((part, i) => [names[i], part.input])) as WorkerInput,
    transfer: parts.flatMap(({ transfer }) => transfer),
  };
}

async function deliverValue(
  value: Image | InputArray,
): Promise<{ input: WorkerImage | InputArray; transfer: readonly Transferable[] }> {
  if (!isElement(value)) {
    return { input: value, transfer: [] };
  }
  try {
    // The others have premultiplied colors already, and are read faster without this option.
    const options = isImage(value) ? { premultiplyAlpha: 'none' as const } : {};
    const bitmap = await createImageBitmap(value, { colorSpaceConversion: 'none', ...options });
    return { input: bitmap, transfer: [bitmap] };
  } catch (error) {
    const name = value.constructor.name;
    throw new DataError(`the ${name} shows no image yet, or is from another origin: ${error}`);
  }
}

function isImage(value: Exclude<Image, WorkerImage>): value is HTMLImageElement {
  return value.constructor.name === 'HTMLImageElement';
}

function isElement(value: Image | InputArray): value is Exclude<Image, WorkerImage> {
  const types = [
    'HTMLImageElement',
    'HTMLVideoElement',
    'HTMLCanvasElement',
    'OffscreenCanvas',
    'VideoFrame',
  ];
  return types.includes(value.constructor.name);
}
