/** Augmentation of images: mirrored, cropped elsewhere, brighter or darker; see docs/recipe.md. */

import type { RandomNumbers } from '../random_numbers.js';
import { type Box, centerBox, type Pixels, resize } from './resize.js';

const DRAWS = 4; // random numbers per augmentation
const [MIN_SHARE, SHARES] = [45875, 19661]; // 0.7 of 65536, and the rest
const [MIN_GAIN, GAINS] = [179, 155]; // 0.7 of 256, and the number of gains up to 1.3

/** The random numbers 0…65535 of one augmentation. */
export type Draws = readonly [number, number, number, number];

/** Return the random numbers of the next augmentation. */
export function drawAugmentation(numbers: RandomNumbers): Draws {
  return Array.from(numbers.draw(DRAWS), (number) => number >>> 16) as unknown as Draws;
}

/**
 * Return one augmentation of an image.
 *
 * @param image - image in RGB or gray.
 * @param width - width of the result.
 * @param height - height of the result.
 * @param number - number of the augmentation, from 1. Odd ones are mirrored.
 * @param draws - its random numbers.
 */
export function augment(
  image: Pixels,
  width: number,
  height: number,
  number: number,
  draws: Draws,
): Pixels {
  const result = resize(image, cropBox(image, width, height, draws), width, height);
  const gain = MIN_GAIN + Math.floor((draws[3] * GAINS) / 65536);
  const level = (value: number) => Math.min(255, Math.floor((value * gain + 128) / 256));
  const { channels, data } = result;
  const changed = data.map((value, at) => {
    if (number % 2 === 0) {
      return level(value);
    }
    const [pixel, channel] = [Math.floor(at / channels), at % channels];
    const mirrored = pixel - 2 * (pixel % width) + width - 1;
    return level(data[mirrored * channels + channel] as number);
  });
  return { ...result, data: changed };
}

/** Return the part of an image that an augmentation shows. */
export function cropBox(image: Pixels, toWidth: number, toHeight: number, draws: Draws): Box {
  const [a, b, c] = draws;
  const center = centerBox(image.width, image.height, toWidth, toHeight);
  const share = MIN_SHARE * 65536 + SHARES * a;
  const width = Math.max(1, Math.floor((center.width * share) / 2 ** 32));
  const height = Math.max(1, Math.floor((center.height * share) / 2 ** 32));
  return {
    left: Math.floor((b * (image.width - width + 1)) / 65536),
    top: Math.floor((c * (image.height - height + 1)) / 65536),
    width,
    height,
  };
}
