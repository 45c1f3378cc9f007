/** The model in a real browser: samples, classes, training, predictions. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { messageOf, openModel, openSite, type Site } from './browser.js';

const RED = [190, 60, 60] as const;
const BLUE = [60, 60, 190] as const;

let site: Site;
let page: Page;

beforeAll(async () => {
  site = await openSite();
  page = await site.newPage();
});

afterAll(async () => {
  await site?.close();
});

beforeEach(async () => {
  await page.evaluate(() => window.model?.close());
  await openModel(page, '/files/image.tflite', { storage: 'memory', thumbnails: true });
});

/** Add samples of two classes. */
async function addSamples(count: number, heldOut = false): Promise<void> {
  await page.evaluate(
    async ([red, blue, n, isHeldOut]) => {
      for (let seed = 0; seed < n; seed += 1) {
        const number = isHeldOut ? 100 + seed : seed;
        await window.model.addSample(window.photo(red, number), 'red', { heldOut: isHeldOut });
        await window.model.addSample(window.photo(blue, number), 'blue', { heldOut: isHeldOut });
      }
    },
    [RED, BLUE, count, heldOut] as const,
  );
}

function predict(color: readonly [number, number, number]) {
  return page.evaluate((rgb) => window.model.predict(window.photo(rgb, 55)), color);
}

it('predicts a class after its first sample, and all probabilities sum to 1', async () => {
  await addSamples(1);
  const { best, ranking } = await predict(BLUE);
  expect(best?.label).toBe('blue');
  expect(ranking.map(({ label }) => label).sort()).toEqual(['blue', 'red']);
  expect(ranking.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
});

it('trains with falling losses, and detects an image that resembles no class', async () => {
  await addSamples(12);
  const { losses, history } = await page.evaluate(async () => {
    const losses: number[] = [];
    const job = window.model.fit({}, { onEpoch: ({ loss }) => losses.push(loss) });
    return { losses, history: await job.history };
  });
  expect(losses).toEqual(history.epochs.map(({ loss }) => loss));
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
  expect(history.expectedAccuracy).toBeGreaterThan(0.9);
  const known = await predict(RED);
  expect(known.best?.label).toBe('red');
  expect(known.inDistribution).toBe(true);
  const other = await page.evaluate(async () => window.model.predict(new ImageData(20, 30)));
  expect(other.inDistribution).toBe(false);
  expect(other.best).toBeUndefined();
});

it('predicts while it trains, pauses, resumes and stops', async () => {
  await addSamples(6);
  const result = await page.evaluate(async (red) => {
    let epochs = 0;
    const counted = () => {
      epochs += 1;
    };
    const job = window.model.fit({ epochs: 1_000_000 }, { onEpoch: counted });
    while (epochs < 5) {
      await window.model.predict(window.photo(red, 3));
    }
    await job.pause();
    await window.model.predict(window.photo(red, 3));
    const paused = epochs;
    await window.model.predict(window.photo(red, 3));
    const still = epochs;
    await job.resume();
    while (epochs < still + 5) {
      await window.model.predict(window.photo(red, 3));
    }
    const wasRunning = job.running;
    await job.stop();
    const history = await job.history;
    return { paused, still, wasRunning, running: job.running, stopped: history.stopped };
  }, RED);
  expect(result).toMatchObject({ wasRunning: true, running: false, stopped: true });
  expect(result.still - result.paused).toBeLessThanOrEqual(1);
});

it('stops a training by a signal', async () => {
  await addSamples(3);
  const history = await page.evaluate(async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const onEpoch = () => stop.abort();
    return window.model.fit({ epochs: 1_000_000 }, { onEpoch, signal }).history;
  });
  expect(history.stopped).toBe(true);
});

it('evaluates held-out samples, and samples that are passed', async () => {
  await addSamples(4);
  await addSamples(3, true);
  const [stored, passed] = await page.evaluate(async (red) => {
    const pair = [window.photo(red, 77), 'blue'] as const;
    return [await window.model.evaluate(), await window.model.evaluate([pair])];
  }, RED);
  expect(stored).toMatchObject({
    samples: 6,
    accuracy: 1,
    confusion: [
      [3, 0],
      [0, 3],
    ],
  });
  expect(passed).toMatchObject({
    samples: 1,
    accuracy: 0,
    confusion: [
      [0, 0],
      [1, 0],
    ],
  });
});

describe('classes', () => {
  it('are listed with their samples, renamed and removed', async () => {
    await addSamples(2);
    await addSamples(1, true);
    const { before, after, best } = await page.evaluate(async (blue) => {
      const { model } = window;
      await model.addClass('green');
      const before = await model.classes();
      await model.renameClass('blue', 'sea');
      await model.renameClass('green', 'grass');
      await model.removeClass('red');
      const { best } = await model.predict(window.photo(blue, 55));
      return { before, after: await model.classes(), best };
    }, BLUE);
    expect(before).toEqual([
      { name: 'red', index: 0, samples: 3, heldOut: 1, trained: false },
      { name: 'blue', index: 1, samples: 3, heldOut: 1, trained: false },
      { name: 'green', index: undefined, samples: 0, heldOut: 0, trained: false },
    ]);
    expect(after.map(({ name }) => name)).toEqual(['sea', 'grass']);
    expect(best).toEqual({ label: 'sea', probability: expect.closeTo(1, 5) });
  });

  it('are no more than the capacity', async () => {
    const message = await messageOf(
      page.evaluate(async (red) => {
        for (const name of ['a', 'b', 'c', 'd', 'e']) {
          await window.model.addSample(window.photo(red, name.charCodeAt(0)), name);
        }
      }, RED),
    );
    expect(message).toContain('its capacity is 4 classes, and 5 are needed');
    expect(await page.evaluate(() => window.model.classes())).toHaveLength(4);
  });

  it('have names that are unique and visible', async () => {
    await addSamples(1);
    for (const name of ['red', '', ' ', 'a\nb', '\ud800']) {
      const action = page.evaluate((label) => window.model.renameClass('blue', label), name);
      await expect(action).rejects.toThrow('DataError');
    }
  });
});

describe('samples', () => {
  it('are stored once, with one label', async () => {
    const message = await messageOf(
      page.evaluate(async (red) => {
        const { model } = window;
        const first = await model.addSample(window.photo(red, 1), 'red');
        const second = await model.addSample(window.photo(red, 1), 'red');
        if (first !== second) {
          throw new Error('the sample is stored twice');
        }
        await model.addSample(window.photo(red, 1), 'blue');
      }, RED),
    );
    expect(message).toContain('with another label (red 1): forget it first');
  });

  it('are listed and forgotten, and their class with the last one', async () => {
    await addSamples(2);
    const { samples, left, found } = await page.evaluate(async (red) => {
      const { model } = window;
      const samples = await model.samples();
      const found = await model.find(window.photo(red, 1));
      await model.forget(...samples.filter(({ targets }) => 'red' in targets).map(({ id }) => id));
      return { samples, found, left: await model.classes() };
    }, RED);
    expect(samples.map(({ targets }) => Object.keys(targets)[0])).toEqual([
      'red',
      'blue',
      'red',
      'blue',
    ]);
    expect(found).toEqual(samples[2]);
    expect(left.map(({ name }) => name)).toEqual(['blue']);
    const forgotten = page.evaluate(() => window.model.forget(1));
    await expect(forgotten).rejects.toThrow('the store has no sample 1');
  });

  it('have thumbnails of at most 48 pixels', async () => {
    await addSamples(3);
    const sizes = await page.evaluate(async () => {
      const thumbnails = await window.model.thumbnails('blue', 2);
      return Promise.all(
        thumbnails.map(async ({ id, image }) => {
          const { width, height } = await createImageBitmap(image);
          return [id, image.type, width, height];
        }),
      );
    });
    expect(sizes).toEqual([
      [4, 'image/png', 16, 24],
      [6, 'image/png', 16, 24],
    ]);
  });

  it('have augmentations, and features of a prediction', async () => {
    const { rows, same } = await page.evaluate(async (red) => {
      const { model } = window;
      await model.addSample(window.photo(red, 1), 'red', { augment: 3 });
      const { features } = await model.predict(window.photo(red, 2), { features: true });
      const added = features === undefined ? {} : { features };
      await model.addSample(window.photo(red, 2), 'red', added);
      await model.addSample(window.photo(red, 2), 'other', { source: 'a copy' });
      const { ranking } = await model.predict(window.photo(red, 2));
      return { rows: (await model.samples()).map((sample) => sample.rows), same: ranking };
    }, RED);
    expect(rows).toEqual([4, 1, 1]);
    expect(same[0]?.label).toBe('other'); // its only sample is this photo
  });

  it('are evicted from a full store', async () => {
    const count = await page.evaluate(async (red) => {
      await window.model.close();
      const options = { storage: 'memory', maxSamples: 3 } as const;
      window.model = await window.sartor.PersonalModel.open('/files/image.tflite', options);
      for (let seed = 0; seed < 6; seed += 1) {
        await window.model.addSample(window.photo(red, seed), 'red');
      }
      return (await window.model.samples()).length;
    }, RED);
    expect(count).toBe(3);
  });
});

it('takes files, bitmaps, frames, canvases and elements, and answers the same', async () => {
  await addSamples(2);
  const labels = await page.evaluate(async (blue) => {
    const { model } = window;
    const pixels = window.photo(blue, 9);
    const canvas = document.createElement('canvas');
    canvas.width = pixels.width;
    canvas.height = pixels.height;
    canvas.getContext('2d')?.putImageData(pixels, 0, 0);
    const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
    const image = new Image();
    image.src = canvas.toDataURL();
    await image.decode();
    const bitmap = await createImageBitmap(pixels);
    const inputs = [
      pixels,
      canvas,
      image,
      bitmap,
      bitmap, // it is not consumed
      file as Blob,
      await (file as Blob).arrayBuffer(),
      new VideoFrame(canvas, { timestamp: 0 }),
    ];
    const results = [];
    for (const input of inputs) {
      const { ranking } = await model.predict(input);
      results.push([ranking[0]?.label, ranking[0]?.probability.toFixed(3)].join(' '));
    }
    return results;
  }, BLUE);
  expect(new Set(labels).size).toBe(1);
  expect(labels[0]).toMatch(/^blue/);
});

it.each([
  ['a text', 'text', 'expected an image, a file or a typed array; got string'],
  ['a file that is no image', new Uint8Array([1, 2, 3]).buffer, 'not an image'],
  [
    'an array of another size',
    { array: 3 },
    'Float32Array [1,24,16,3], 1152 values; got Float32Array, 3 values',
  ],
])('refuses %s', async (_, input, message) => {
  const action = page.evaluate(
    async (value) => {
      const isArray = typeof value === 'object' && 'array' in value;
      const bytes = new Uint8Array([1, 2, 3]).buffer;
      const given = isArray ? new Float32Array(3) : typeof value === 'string' ? value : bytes;
      await window.model.predict(given as ArrayBuffer);
    },
    input as { array: number } | string,
  );
  expect(await messageOf(action)).toContain(message);
});

it('removes and renames a class that was empty before its first sample', async () => {
  const names = await page.evaluate(async (red) => {
    for (const name of ['first', 'second']) {
      await window.model.addClass(name);
      await window.model.addSample(window.photo(red, name.length), name);
    }
    await window.model.removeClass('first');
    await window.model.renameClass('second', 'other');
    return (await window.model.classes()).map(({ name }) => name);
  }, RED);
  expect(names).toEqual(['other']);
});

it('stores texts of the app', async () => {
  const texts = await page.evaluate(async () => {
    await window.model.addClass('empty');
    await window.model.setAppData('view/a', 'Hüte');
    await window.model.setAppData('view/b', 'x');
    await window.model.setAppData('view/b', undefined);
    return [...(await window.model.appData())];
  });
  expect(texts).toEqual([['view/a', 'Hüte']]);
});

it('stores the photo of a sample: a file as it is, other images as PNG', async () => {
  const photos = await page.evaluate(async (red) => {
    await window.model.close();
    const options = { storage: 'memory', photos: true } as const;
    window.model = await window.sartor.PersonalModel.open('/files/image.tflite', options);
    const pixels = window.photo(red, 1);
    const first = await window.model.addSample(pixels, 'red');
    const png = (await window.model.photo(first)) as Blob;
    const second = await window.model.addSample(new File([png], 'a.png'), 'red');
    const copy = (await window.model.photo(second)) as Blob;
    const { width, height } = await createImageBitmap(png);
    const { ranking } = await window.model.predict(png);
    return { size: [width, height], sizes: [png.size, copy.size], label: ranking[0]?.label };
  }, RED);
  expect(photos.size).toEqual([20, 30]);
  expect(photos.sizes[0]).toBe(photos.sizes[1]);
  expect(photos.label).toBe('red');
});

describe('other tasks', () => {
  /** Open a model with the inputs `image` [1, 3, 3, 1] and `words` [1, 3]. */
  async function open(name: string): Promise<void> {
    await page.evaluate(() => window.model.close());
    await openModel(page, `/vectors/0/${name}.tflite`, { storage: 'memory' });
  }

  it('are several labels of one sample, also with unknown ones', async () => {
    await open('multi_label');
    const { classes, values, history, evaluation, samples } = await page.evaluate(async () => {
      const { model } = window;
      const input = (level: number, i: number) => ({
        image: Float32Array.from({ length: 9 }, (_, at) => level + 0.1 * Math.sin(at + i)),
        words: Int32Array.of(i % 3, 1, level > 0 ? 2 : 0),
      });
      for (let i = 0; i < 6; i += 1) {
        await model.addSample(input(1, i), ['light', 'warm']);
        await model.addSample(input(-1, i), { light: false, warm: true });
      }
      return {
        samples: (await model.samples()).length,
        classes: await model.classes(),
        history: await model.fit({ epochs: 200 }).history,
        values: Object.fromEntries(await model.predictValues(input(1, 9))),
        evaluation: await model.evaluate(),
      };
    });
    expect(samples).toBe(12);
    expect(classes).toMatchObject([
      { name: 'light', samples: 6 },
      { name: 'warm', samples: 12 },
    ]);
    expect(history.epochs).toHaveLength(200);
    expect(values.light).toBeGreaterThan(0.5);
    expect(values.warm).toBeGreaterThan(0.5);
    expect(evaluation.accuracy).toBeGreaterThan(0.9);
  });

  it('are numbers', async () => {
    await open('huber_rmsprop');
    const { message, before, after } = await page.evaluate(async () => {
      const { model } = window;
      const input = (level: number) => ({
        image: new Float32Array(9).fill(level),
        words: Int32Array.of(0, 1, 2),
      });
      for (let i = 0; i < 10; i += 1) {
        await model.addSample(input(i / 5 - 1), { size: i });
      }
      const error = async () => (await model.evaluate()).absoluteError.get('size');
      const before = await error();
      await model.fit().history;
      const message = await model.predict(input(1)).then(String, String);
      return { message, before, after: await error() };
    });
    expect(message).toBe('DataError: the model predicts numbers, not classes: call predictValues');
    expect(after).toBeLessThan((before ?? 0) / 2);
  });

  it('take inputs by their names', async () => {
    await open('two_inputs');
    const messages = await page.evaluate(async () => {
      const image = new Float32Array(9);
      const words = new Int32Array(3);
      const inputs = [image, { image }, { image, words, other: words }, { image, words: image }];
      const results = [];
      for (const input of inputs) {
        results.push(await window.model.predict(input).then(String, String));
      }
      return results;
    });
    expect(messages).toEqual([
      expect.stringContaining('the inputs of the model are image, words; got one value without'),
      expect.stringContaining('the inputs of the model are image, words; got image'),
      expect.stringContaining('got image, words, other'),
      expect.stringContaining('words takes Int32Array [1,3], 3 values; got Float32Array, 9 values'),
    ]);
  });

  it('have features of two tensors', async () => {
    await open('two_features');
    const result = await page.evaluate(async () => {
      const { model } = window;
      const input = (level: number, i: number) =>
        Float32Array.from({ length: 32 }, (_, at) => level + Math.sin(at * (i + 1)));
      for (let i = 0; i < 4; i += 1) {
        await model.addSample(input(2, i), 'high');
        await model.addSample(input(-2, i), 'low');
      }
      await model.fit({ epochs: 30 }).history;
      const { best, features } = await model.predict(input(2, 9), { features: true });
      return [best?.label, features?.map(({ length }) => length)];
    });
    expect(result).toEqual(['high', [32, 12]]);
  });
});
