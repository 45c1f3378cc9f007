/** Decode images in the worker: files, bitmaps and pixels become RGB or gray levels. */

import { DataError } from '../errors.js';
import type { WorkerImage } from '../worker/messages.js';
import type { Pixels } from './resize.js';

const LARGEST = 1 << 28; // pixels: browsers refuse larger canvases
const OPAQUE = 0xff000000; // a pixel of at least this has the opacity 255
const WITHOUT_CHANGES = { colorSpaceConversion: 'none', premultiplyAlpha: 'none' } as const;

/**
 * Return the pixels of an image: upright, RGB or RGB with opacity.
 *
 * @throws DataError if it cannot be decoded.
 */
export async function decodeImage(image: WorkerImage): Promise<Pixels> {
  if (image instanceof ImageData) {
    return opaque({ width: image.width, height: image.height, channels: 4, data: image.data });
  }
  if (image instanceof ImageBitmap) {
    return pixelsOf(image);
  }
  const file = image instanceof Blob ? image : new Blob([image]);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: 'from-image', ...WITHOUT_CHANGES });
  } catch {
    const name = file instanceof File ? file.name : 'the file';
    throw new DataError(
      `${name} is not an image that this browser can decode, or is damaged: use JPEG or PNG`,
      'not-an-image',
    );
  }
  try {
    return pixelsOf(bitmap);
  } finally {
    bitmap.close();
  }
}

/** Return an image on white, in RGB or gray. */
export function onWhite(pixels: Pixels, channels: number): Pixels {
  const { width, height, data } = pixels;
  const from = pixels.channels;
  const result = new Uint8Array(width * height * channels);
  const color = [0, 0, 0];
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const opacity = from === 4 ? (data[pixel * 4 + 3] as number) : 255;
    for (let channel = 0; channel < 3; channel += 1) {
      const level = data[pixel * from + channel] as number;
      const blend = level * opacity + 255 * (255 - opacity);
      color[channel] = opacity === 255 ? level : Math.round(blend / 255);
    }
    const [red, green, blue] = color as [number, number, number];
    if (channels === 1) {
      // the luma of ITU-R BT.601
      result[pixel] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    } else {
      result.set(color, pixel * 3);
    }
  }
  return { width, height, channels, data: result };
}

/** Return a PNG of RGB or gray pixels. */
export async function encodePng(pixels: Pixels): Promise<Uint8Array> {
  const { width, height, channels, data } = pixels;
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const source = pixel * channels + (channels >= 3 ? channel : 0);
      image.data[pixel * 4 + channel] = data[source] as number;
    }
    image.data[pixel * 4 + 3] = channels === 4 ? (data[pixel * 4 + 3] as number) : 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  context(canvas).putImageData(image, 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new Uint8Array(await blob.arrayBuffer());
}

function pixelsOf(bitmap: ImageBitmap): Pixels {
  const { width, height } = bitmap;
  if (width === 0 || height === 0 || width * height > LARGEST) {
    throw new DataError(
      `the image has ${width} x ${height} pixels, expected 1 to ${LARGEST}: the bitmap was closed, ` +
        'or the image is too large',
      'not-an-image',
    );
  }
  const drawing = context(new OffscreenCanvas(width, height));
  drawing.drawImage(bitmap, 0, 0);
  const { data } = drawing.getImageData(0, 0, width, height);
  return opaque({ width, height, channels: 4, data });
}

/** Return an image without its opacity, if it is opaque everywhere. */
function opaque(pixels: Pixels): Pixels {
  const { width, height, data } = pixels;
  const words = new Uint32Array(data.buffer, data.byteOffset, width * height); // little-endian
  const colors = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < words.length; from += 1, to += 3) {
    const word = words[from] as number;
    if (word < OPAQUE) {
      return pixels;
    }
    colors[to] = word;
    colors[to + 1] = word >> 8;
    colors[to + 2] = word >> 16;
  }
  return { width, height, channels: 3, data: colors };
}

function context(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const drawing = canvas.getContext('2d', { willReadFrequently: true });
  if (drawing === null) {
    throw new DataError('the browser has no memory for an image of this size: use a smaller one');
  }
  return drawing;
}
