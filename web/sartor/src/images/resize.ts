/** The resizer of docs/recipe.md. Its inner loops are in WebAssembly: resize_kernel.wat. */

import { KERNEL } from './resize_kernel.js';
import { type Filters, triangleFilters } from './triangle_filter.js';

const PAGE = 65536; // bytes; memory grows in pages
const BLOCK = 16; // bytes that the kernel computes at once
const PIXEL = 4; // bytes of a pixel in the kernel
const COLORS = 3; // bytes of a pixel in its result

/** Pixels: a uint8 level for each channel of each pixel, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1 (gray), 3 (RGB) or 4 (RGB and opacity). */
  readonly channels: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** A part of an image, in whole pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The functions of resize_kernel.wat. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly resizeRow: (
    pixels: number,
    filters: number,
    filterSize: number,
    width: number,
    result: number,
  ) => void;
  readonly combineRows: (image: number, stride: number, filter: number, result: number) => void;
}

let loaded: Kernel | undefined;

/** Return the largest box of the aspect ratio `toWidth : toHeight` in the center. */
export function centerBox(width: number, height: number, toWidth: number, toHeight: number): Box {
  if (width * toHeight > height * toWidth) {
    const ideal = Math.floor((2 * height * toWidth + toHeight) / (2 * toHeight));
    const side = Math.min(width, Math.max(1, ideal));
    return { left: Math.floor((width - side) / 2), top: 0, width: side, height };
  }
  const ideal = Math.floor((2 * width * toHeight + toWidth) / (2 * toWidth));
  const side = Math.min(height, Math.max(1, ideal));
  return { left: 0, top: Math.floor((height - side) / 2), width, height: side };
}

/**
 * Resize a part of an image: first its rows, then its columns, with levels rounded after each.
 *
 * @param pixels - the image; if it has an opacity, it must be opaque.
 * @param box - the part.
 * @param width - width of the result, at least 1.
 * @param height - height of the result, at least 1.
 * @returns an image in gray or RGB.
 */
export function resize(pixels: Pixels, box: Box, width: number, height: number): Pixels {
  const { resizeRow, combineRows, memory } = kernel();
  const [columns, rows] = [triangleFilters(box.width, width), triangleFilters(box.height, height)];
  const stride = Math.ceil((width * PIXEL) / BLOCK) * BLOCK;
  const places = new Places();
  const columnFilters = places.add(columns.data.byteLength);
  const rowFilters = places.add(rows.data.byteLength);
  const source = places.add((box.width + 1) * PIXEL); // weights of zero may read behind the end
  const narrow = places.add((box.height + 1) * stride);
  const result = places.add(height * width * COLORS + stride);
  places.reserve(memory);

  write(memory, columnFilters, columns);
  write(memory, rowFilters, rows);
  const row = new Uint8Array(memory.buffer, source, box.width * PIXEL);
  for (let y = 0; y < box.height; y += 1) {
    copyRow(pixels, box.left, box.top + y, row);
    resizeRow(source, columnFilters, bytes(columns), width, narrow + y * stride);
  }
  for (let y = 0; y < height; y += 1) {
    combineRows(narrow, stride, rowFilters + y * bytes(rows), result + y * width * COLORS);
  }
  const colors = new Uint8Array(memory.buffer, result, height * width * COLORS);
  return pixels.channels === 1
    ? { width, height, channels: 1, data: colors.filter((_, i) => i % COLORS === 0) }
    : { width, height, channels: COLORS, data: colors.slice() };
}

/** Places in the memory of the kernel, one after another. */
class Places {
  #end = 0;

  /** Return the address of a new place. */
  add(size: number): number {
    const address = this.#end;
    this.#end += Math.ceil(size / BLOCK) * BLOCK;
    return address;
  }

  /** Make the memory large enough for all places. */
  reserve(memory: WebAssembly.Memory): void {
    const missing = this.#end - memory.buffer.byteLength;
    if (missing > 0) {
      memory.grow(Math.ceil(missing / PAGE));
    }
  }
}

function kernel(): Kernel {
  if (loaded === undefined) {
    const code = Uint8Array.from(atob(KERNEL), (letter) => letter.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code));
    loaded = exports as unknown as Kernel;
  }
  return loaded;
}

function bytes({ size }: Filters): number {
  return size * Int32Array.BYTES_PER_ELEMENT;
}

function write(memory: WebAssembly.Memory, address: number, { data }: Filters): void {
  new Int32Array(memory.buffer, address, data.length).set(data);
}

/** Copy a part of a row as pixels of four bytes. */
function copyRow(pixels: Pixels, left: number, y: number, row: Uint8Array): void {
  const { width, channels, data } = pixels;
  const start = (y * width + left) * channels;
  if (channels === PIXEL) {
    row.set(data.subarray(start, start + row.length));
    return;
  }
  for (let from = start, to = 0; to < row.length; from += channels, to += PIXEL) {
    for (let channel = 0; channel < channels; channel += 1) {
      row[to + channel] = data[from + channel] as number;
    }
  }
}
