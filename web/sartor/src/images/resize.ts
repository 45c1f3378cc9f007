/** The resizer of docs/recipe.md: a triangle filter whose support grows with the ratio. */

const BITS = 22; // weights are integers in units of 2⁻²², so that ties are rounded as in Pillow
const HALF = 1 << (BITS - 1);

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
 * @param pixels - the image.
 * @param box - the part.
 * @param width - width of the result, at least 1.
 * @param height - height of the result, at least 1.
 */
export function resize(pixels: Pixels, box: Box, width: number, height: number): Pixels {
  const { channels } = pixels;
  const columns = triangleFilter(box.width, width);
  const rows = triangleFilter(box.height, height);
  const resizeLine = channels === 3 ? resizeColors : resizeChannels;
  const narrow = new Uint8Array(box.height * width * channels);
  for (let y = 0; y < box.height; y += 1) {
    const start = ((box.top + y) * pixels.width + box.left) * channels;
    const line = narrow.subarray(y * width * channels, (y + 1) * width * channels);
    resizeLine(pixels.data, start, columns, line, channels);
  }
  const data = new Uint8Array(height * width * channels);
  resizeRows(narrow, width * channels, rows, data);
  return { width, height, channels, data };
}

/** The weights of the inputs of each output along one axis. */
interface Filter {
  /** First input of each output. */
  readonly starts: Int32Array;
  /** Number of inputs of each output. */
  readonly counts: Int32Array;
  /** Weights of the inputs of each output, in units of 2⁻²²; `taps` places for each. */
  readonly weights: Int32Array;
  readonly taps: number;
}

function triangleFilter(from: number, to: number): Filter {
  const ratio = from / to;
  const support = Math.max(1, ratio);
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Int32Array(to * taps);
  for (let i = 0; i < to; i += 1) {
    const center = (i + 0.5) * ratio;
    const start = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(from, Math.floor(center + support + 0.5));
    const values: number[] = [];
    for (let x = start; x < end; x += 1) {
      values.push(Math.max(0, 1 - Math.abs((x - center + 0.5) / support)));
    }
    const sum = values.reduce((a, b) => a + b, 0);
    weights.set(
      values.map((value) => Math.floor((value / sum) * 2 ** BITS + 0.5)),
      i * taps,
    );
    starts[i] = start;
    counts[i] = end - start;
  }
  return { starts, counts, weights, taps };
}

/** Resize one row of RGB pixels. */
function resizeColors(
  data: Uint8Array | Uint8ClampedArray,
  start: number,
  { starts, counts, weights, taps }: Filter,
  line: Uint8Array,
): void {
  for (let x = 0; x < starts.length; x += 1) {
    let [red, green, blue] = [HALF, HALF, HALF];
    let at = start + (starts[x] as number) * 3;
    const end = x * taps + (counts[x] as number);
    for (let tap = x * taps; tap < end; tap += 1) {
      const weight = weights[tap] as number;
      red = (red + weight * (data[at] as number)) | 0;
      green = (green + weight * (data[at + 1] as number)) | 0;
      blue = (blue + weight * (data[at + 2] as number)) | 0;
      at += 3;
    }
    line[x * 3] = red >> BITS;
    line[x * 3 + 1] = green >> BITS;
    line[x * 3 + 2] = blue >> BITS;
  }
}

/** Resize one row of pixels of any number of channels. */
function resizeChannels(
  data: Uint8Array | Uint8ClampedArray,
  start: number,
  { starts, counts, weights, taps }: Filter,
  line: Uint8Array,
  channels: number,
): void {
  for (let x = 0; x < starts.length; x += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      let sum = HALF;
      let at = start + (starts[x] as number) * channels + channel;
      for (let tap = 0; tap < (counts[x] as number); tap += 1) {
        sum = (sum + (weights[x * taps + tap] as number) * (data[at] as number)) | 0;
        at += channels;
      }
      line[x * channels + channel] = sum >> BITS;
    }
  }
}

/** Resize the columns of an image whose rows have `stride` values. */
function resizeRows(
  image: Uint8Array,
  stride: number,
  { starts, counts, weights, taps }: Filter,
  data: Uint8Array,
): void {
  const sums = new Int32Array(stride);
  for (let y = 0; y < starts.length; y += 1) {
    sums.fill(HALF);
    for (let tap = 0; tap < (counts[y] as number); tap += 1) {
      const weight = weights[y * taps + tap] as number;
      const start = ((starts[y] as number) + tap) * stride;
      for (let x = 0; x < stride; x += 1) {
        sums[x] = ((sums[x] as number) + weight * (image[start + x] as number)) | 0;
      }
    }
    for (let x = 0; x < stride; x += 1) {
      data[y * stride + x] = (sums[x] as number) >> BITS;
    }
  }
}
