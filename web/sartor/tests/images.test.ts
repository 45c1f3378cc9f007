/** Images: the rules of the recipe, and real photos as Pillow reads them. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../contract/tests/browser.js';
import { augment, cropBox, drawAugmentation } from '../src/images/augment.js';
import { centerBox, type Pixels, resize } from '../src/images/resize.js';
import { normalize } from '../src/images/values.js';
import { RandomNumbers } from '../src/random_numbers.js';
import { openSite, python, type Site } from './browser.js';
import { ALL_RULES } from './recipe/files.js';
import { difference, toValue } from './recipe/vectors.js';

/** Outputs of a rule: `pixels` differ by at most one level, other values by the tolerance. */
interface Outputs {
  readonly pixels?: Levels | undefined;
  readonly [name: string]: unknown;
}

type Levels = readonly (number | Levels)[];

interface ImageJson {
  readonly shape: readonly [number, number, number];
  readonly data: readonly number[];
}

type Rule = (inputs: never) => Outputs;

/** Rule of images.json → function from inputs to outputs. */
const RULES: Readonly<Record<string, Rule>> = {
  center_box({ width, height, to_width, to_height }: Record<string, number>) {
    return { ...centerBox(width ?? 0, height ?? 0, to_width ?? 0, to_height ?? 0) };
  },

  center_pixels({ image, width, height }: { image: ImageJson; width: number; height: number }) {
    const pixels = pixelsOf(image);
    const box = centerBox(pixels.width, pixels.height, width, height);
    return { pixels: rowsOf(resize(pixels, box, width, height)) };
  },

  normalize(inputs: { pixels: number[][]; mean: number[]; std: number[] }) {
    const { pixels, mean, std } = inputs;
    const channels = pixels[0]?.length ?? 0;
    const data = Uint8Array.from(pixels.flat());
    const spec = {
      name: 'input',
      shape: [1, 1, pixels.length, channels],
      dtype: 'float32',
      modality: 'image',
      mean,
      std,
    } as const;
    const image = { width: pixels.length, height: 1, channels, data };
    const values = Array.from(normalize(spec, image));
    return { values: pixels.map((_, i) => values.slice(i * channels, (i + 1) * channels)) };
  },

  augmentations(inputs: {
    image: ImageJson;
    identity: string;
    count: number;
    width: number;
    height: number;
  }) {
    const { identity, count, width, height } = inputs;
    const image = pixelsOf(inputs.image);
    const numbers = new RandomNumbers(Buffer.from(identity, 'hex').readUInt32LE(0));
    const draws = Array.from({ length: count }, () => drawAugmentation(numbers));
    return {
      crops: draws.map((each) => {
        const { left, top, ...size } = cropBox(image, width, height, each);
        return [left, top, size.width, size.height];
      }),
      gains: draws.map(([, , , d]) => 179 + Math.floor((155 * d) / 65536)),
      pixels: draws.map((each, i) => rowsOf(augment(image, width, height, i + 1, each))),
    };
  },
};

describe.each(ALL_RULES.filter(({ rule }) => rule in RULES))('$rule', (rule) => {
  it.each(rule.cases)('$about', ({ inputs, outputs }) => {
    const { pixels, ...others } = (RULES[rule.rule] as Rule)(inputs as never);
    const { pixels: expectedPixels, ...expected } = outputs as Outputs;
    expect(difference(toValue(others), expected as never)).toBeLessThanOrEqual(rule.tolerance);
    expect(levelsBetween(pixels, expectedPixels)).toBeLessThanOrEqual(1);
  });
});

it('the kernel of the resizer is compiled from its source', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sartor-kernel-'));
  const file = join(folder, 'kernel.ts');
  execFileSync('node', [repository('web/sartor/tools/compile_kernel.js'), file]);
  const present = readFileSync(repository('web/sartor/src/images/resize_kernel.ts'), 'utf8');
  expect(readFileSync(file, 'utf8')).toBe(present);
  rmSync(folder, { recursive: true });
});

function pixelsOf({ shape: [height, width, channels], data }: ImageJson): Pixels {
  return { width, height, channels, data: Uint8Array.from(data) };
}

/** Return pixels as nested lists: rows of pixels of channels. */
function rowsOf({ width, height, channels, data }: Pixels): number[][][] {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      const start = (y * width + x) * channels;
      return Array.from(data.slice(start, start + channels));
    }),
  );
}

describe('in Chromium', () => {
  let site: Site;
  let page: Page;

  beforeAll(async () => {
    site = await openSite();
    page = await site.newPage();
  });

  afterAll(async () => {
    await site?.close();
  });

  /** Decode files, crop and resize them. */
  function read(url: string, channels: number, size: readonly [number, number] | null) {
    return page.evaluate(
      async ([address, count, to]) => {
        const { decodeImage, onWhite, centerBox, resize } = window.images;
        const image = onWhite(await decodeImage(await window.content(address)), count);
        const [width, height] = to ?? [image.width, image.height];
        const box = centerBox(image.width, image.height, width, height);
        const result = resize(image, box, width, height);
        return { ...result, data: Array.from(result.data) };
      },
      [url, channels, size] as const,
    );
  }

  const decode = ALL_RULES.filter(({ rule }) => rule === 'decode');

  it.each(decode.flatMap(({ cases }) => cases))('decode: $about', async ({ inputs, outputs }) => {
    const { image, orientation, channels } = inputs as never as {
      image: ImageJson;
      orientation: number;
      channels: number;
    };
    python(
      `
import json, sys
import numpy as np
import PIL.Image
data, orientation, path = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
pixels = np.array(data["data"], np.uint8).reshape(data["shape"])
exif = PIL.Image.Exif()
exif[274] = orientation
image = PIL.Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
image.convert("RGB" if pixels.shape[2] < 4 else "RGBA").save(path, exif=exif)`,
      JSON.stringify(image),
      String(orientation),
      `${site.folder}/decode.png`,
    );
    const { width, height, data } = await read('/files/decode.png', channels, null);
    const { pixels } = outputs as { pixels: number[][][] };
    expect([height, width]).toEqual([pixels.length, pixels[0]?.length]);
    expect(largestDifference(data, pixels.flat(2))).toBeLessThanOrEqual(1);
  });

  const SIZES = [
    [224, 224],
    [96, 64],
  ] as const;

  it.each(photos())('reads $name as Pillow does', async ({ path, name }) => {
    for (const size of SIZES) {
      const [pixels = [], expected = []] = JSON.parse(
        python(
          `
import json, shutil, sys
from pathlib import Path
import PIL.Image, PIL.ImageOps
from sartor.modalities.image.pixels import image_pixels
path, folder, width, height = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
shutil.copy(path, folder + "/photo.jpg")
PIL.ImageOps.exif_transpose(PIL.Image.open(path)).convert("RGB").save(folder + "/photo.png")
files = folder + "/photo.png", folder + "/photo.jpg"
print(json.dumps([image_pixels(each, (height, width)).ravel().tolist() for each in files]))`,
          path,
          site.folder,
          ...size.map(String),
        ),
      ) as number[][];
      const exact = await read('/files/photo.png', 3, size);
      expect(largestDifference(exact.data, pixels)).toBeLessThanOrEqual(1);
      const decoded = await read('/files/photo.jpg', 3, size);
      const levels = largestDifference(decoded.data, expected);
      console.log(`${name} [${size}]: JPEG decoders differ by at most ${levels} levels`);
      expect(levels).toBeLessThanOrEqual(4);
    }
  });
});

/** Return some of the real photos beside the repository, or drawn ones. */
function photos(): { name: string; path: string }[] {
  const folder = repository('../shared/data/imagenet_samples');
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.jpe?g$/i.test(name))
    .slice(0, 4)
    .map((name) => ({ name, path: `${folder}/${name}` }));
}

/** Return the largest difference of nested lists of levels. */
function levelsBetween(one: Levels = [], other: Levels = []): number {
  const flat = (levels: Levels): number[] => {
    return levels.flatMap((each) => (typeof each === 'number' ? [each] : flat(each)));
  };
  return largestDifference(flat(one), flat(other));
}

function largestDifference(one: readonly number[], other: readonly number[]): number {
  expect(one).toHaveLength(other.length);
  return one.reduce((most, level, i) => Math.max(most, Math.abs(level - (other[i] ?? 0))), 0);
}
