/** The resizer of docs/recipe.md: a triangle filter whose support grows with the ratio. */

const ONE = 2 ** 22; // weights are integers, so that ties are rounded as in Pillow

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
  const narrow = new Uint8ClampedArray(box.height * width * channels);
  for (let y = 0; y < box.height; y += 1) {
    const start = ((box.top + y) * pixels.width + box.left) * channels;
    const line = narrow.subarray(y * width * channels, (y + 1) * width * channels);
    resizeLine(pixels.data, start, channels, columns, line);
  }
  const data = new Uint8ClampedArray(height * width * channels);
  resizeRows(narrow, width * channels, rows, data);
  return { width, height, channels, data };
}

/** The weights of the inputs of each output along one axis. */
interface Filter {
  /** First input of each output. */
  readonly starts: Int32Array;
  /** Number of inputs of each output. */
  readonly counts: Int32Array;
  /** Weights of the inputs of each output, in units of 1 / ONE; `taps` places for each. */
  readonly weights: Float64Array;
  readonly taps: number;
}

function triangleFilter(from: number, to: number): Filter {
  const ratio = from / to;
  const support = Math.max(1, ratio);
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to);
  const counts = new Int32Array(to);
  const weights = new Float64Array(to * taps);
  for (let i = 0; i < to; i += 1) {
    const center = (i + 0.5) * ratio;
    const start = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(from, Math.floor(center + support + 0.5));
    let sum = 0;
    for (let x = start; x < end; x += 1) {
      const weight = Math.max(0, 1 - Math.abs((x - center + 0.5) / support));
      weights[i * taps + x - start] = weight;
      sum += weight;
    }
    for (let tap = i * taps; tap < (i + 1) * taps; tap += 1) {
      weights[tap] = Math.floor(((weights[tap] as number) / sum) * ONE + 0.5);
    }
    starts[i] = start;
    counts[i] = end - start;
  }
  return { starts, counts, weights, taps };
}

/** Resize one row of pixels. */
function resizeLine(
  data: Uint8Array | Uint8ClampedArray,
  start: number,
  channels: number,
  { starts, counts, weights, taps }: Filter,
  line: Uint8ClampedArray,
): void {
  for (let x = 0; x < starts.length; x += 1) {
    const first = start + (starts[x] as number) * channels;
    const count = counts[x] as number;
    for (let channel = 0; channel < channels; channel += 1) {
      let sum = ONE / 2;
      let at = first + channel;
      for (let tap = 0; tap < count; tap += 1) {
        sum += (weights[x * taps + tap] as number) * (data[at] as number);
        at += channels;
      }
      line[x * channels + channel] = Math.floor(sum / ONE);
    }
  }
}

/** Resize the columns of an image whose rows have `stride` values. */
function resizeRows(
  image: Uint8ClampedArray,
  stride: number,
  { starts, counts, weights, taps }: Filter,
  data: Uint8ClampedArray,
): void {
  const sums = new Float64Array(stride);
  for (let y = 0; y < starts.length; y += 1) {
    sums.fill(ONE / 2);
    for (let tap = 0; tap < (counts[y] as number); tap += 1) {
      const weight = weights[y * taps + tap] as number;
      const start = ((starts[y] as number) + tap) * stride;
      for (let x = 0; x < stride; x += 1) {
        sums[x] = (sums[x] as number) + weight * (image[start + x] as number);
      }
    }
    for (let x = 0; x < stride; x += 1) {
      data[y * stride + x] = Math.floor((sums[x] as number) / ONE);
    }
  }
}
