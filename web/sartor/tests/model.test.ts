/** The model in a real browser: training, predictions, inputs. */

import { beforeEach, expect, it } from 'vitest';
import { messageOf, useTab } from './browser.js';
import { addSamples, BLUE, predict, RED } from './page_samples.js';

const tab = useTab({ isShared: true });

beforeEach(() => tab.open('/files/image.tflite', { storage: 'memory', thumbnails: true }));

it('predicts a class after its first sample, and all probabilities sum to 1', async () => {
  await addSamples(tab, 1);
  const { best, ranking } = await predict(tab, BLUE);
  expect(best?.label).toBe('blue');
  expect(ranking.map(({ label }) => label).sort()).toEqual(['blue', 'red']);
  expect(ranking.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
});

it('trains with falling losses, and detects an image that resembles no class', async () => {
  await addSamples(tab, 12);
  const { losses, history } = await tab.page.evaluate(async () => {
    const losses: number[] = [];
    const job = window.model.fit({}, { onEpoch: ({ loss }) => losses.push(loss) });
    return { losses, history: await job.history };
  });
  expect(losses).toEqual(history.epochs.map(({ loss }) => loss));
  expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
  expect(history.expectedAccuracy).toBeGreaterThan(0.9);
  const known = await predict(tab, RED);
  expect(known.best?.label).toBe('red');
  expect(known.inDistribution).toBe(true);
  const other = await tab.page.evaluate(async () => window.model.predict(new ImageData(20, 30)));
  expect(other.inDistribution).toBe(false);
  expect(other.best).toBeUndefined();
});

it('predicts while it trains, pauses, resumes and stops', async () => {
  await addSamples(tab, 6);
  const result = await tab.page.evaluate(async (red) => {
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
  await addSamples(tab, 3);
  const history = await tab.page.evaluate(async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const onEpoch = () => stop.abort();
    return window.model.fit({ epochs: 1_000_000 }, { onEpoch, signal }).history;
  });
  expect(history.stopped).toBe(true);
});

it('evaluates held-out samples, and samples that are passed', async () => {
  await addSamples(tab, 4);
  await addSamples(tab, 3, true);
  const [stored, passed] = await tab.page.evaluate(async (red) => {
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

it('takes files, bitmaps, frames, canvases and elements, and answers the same', async () => {
  await addSamples(tab, 2);
  const labels = await tab.page.evaluate(async (blue) => {
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
    const floats = new ImageData(pixels.width, pixels.height, {
      pixelFormat: 'rgba-float16',
    } as ImageDataSettings);
    floats.data.set(Array.from(pixels.data, (level) => level / 255));
    const inputs = [
      pixels,
      floats,
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
      results.push([ranking[0]?.label, ranking[0]?.probability.toFixed(6)].join(' '));
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
  const action = tab.page.evaluate(
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
