/** Decode images in the worker: files, bitmaps and pixels become RGB or gray levels. */

import { DataError } from '../errors.js';
import type { WorkerImage } from '../worker/messages.js';
import type { Pixels } from './resize.js';

const LARGEST = 1 << 28; // pixels: browsers refuse larger canvases
const FRAME = 1 << 20; // pixels: the canvas of images up to this size is used again
const WITHOUT_CHANGES = { colorSpaceConversion: 'none', premultiplyAlpha: 'none' } as const;

let frames: OffscreenCanvasRenderingContext2D | undefined;

/**
 * Return the pixels of an image: upright, RGB with opacity.
 *
 * @throws DataError if it cannot be decoded.
 */
export async function decodeImage(image: WorkerImage): Promise<Pixels> {
  if (image instanceof ImageData && image.data instanceof Uint8ClampedArray) {
    return { width: image.width, height: image.height, channels: 4, data: image.data };
  }
  if (image instanceof ImageBitmap) {
    return pixelsOf(image);
  }
  // an ImageData here has levels of 16 bits, which a bitmap rounds to 8
  const file = image instanceof ArrayBuffer ? new Blob([image]) : image;
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

/** Return an image on white: gray, or opaque RGB with opacity. */
export function onWhite(pixels: Pixels, channels: number): Pixels {
  const opaque = isOpaque(pixels) ? pixels : blend(pixels);
  return channels === 1 ? inGray(opaque) : opaque;
}

function blend({ width, height, channels, data }: Pixels): Pixels {
  const result = data.slice();
  for (let at = 0; at < data.length; at += channels) {
    const opacity = data[at + 3] as number;
    if (opacity < 255) {
      for (let color = at; color < at + 3; color += 1) {
        const sum = (data[color] as number) * opacity + 255 * (255 - opacity);
        result[color] = Math.round(sum / 255);
      }
      result[at + 3] = 255;
    }
  }
  return { width, height, channels, data: result };
}

function inGray({ width, height, data }: Pixels): Pixels {
  const result = new Uint8Array(width * height);
  for (let at = 0; at < result.length; at += 1) {
    const red = data[4 * at] as number;
    const green = data[4 * at + 1] as number;
    const blue = data[4 * at + 2] as number;
    result[at] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16; // luma of BT.601
  }
  return { width, height, channels: 1, data: result };
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
  const drawing = drawingOf(width, height);
  drawing.drawImage(bitmap, 0, 0);
  const { data } = drawing.getImageData(0, 0, width, height);
  return { width, height, channels: 4, data };
}

/** Return a canvas of a size; its former content is replaced. */
function drawingOf(width: number, height: number): OffscreenCanvasRenderingContext2D {
  if (frames?.canvas.width === width && frames.canvas.height === height) {
    return frames;
  }
  const drawing = context(new OffscreenCanvas(width, height));
  drawing.globalCompositeOperation = 'copy';
  frames = width * height <= FRAME ? drawing : undefined;
  return drawing;
}

/** Return an image without its opacity, if it is opaque everywhere. */
export function withoutOpacity(pixels: Pixels): Pixels {
  const { width, height, data } = pixels;
  if (!isOpaque(pixels)) {
    return pixels;
  }
  const colors = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < colors.length; from += 4, to += 3) {
    colors[to] = data[from] as number;
    colors[to + 1] = data[from + 1] as number;
    colors[to + 2] = data[from + 2] as number;
  }
  return { width, height, channels: 3, data: colors };
}

function isOpaque({ data }: Pixels): boolean {
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] !== 255) {
      return false;
    }
  }
  return true;
}

function context(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const drawing = canvas.getContext('2d', { willReadFrequently: true });
  if (drawing === null) {
    throw new DataError('the browser has no memory for an image of this size: use a smaller one');
  }
  return drawing;
}
