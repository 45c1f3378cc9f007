/** Other tasks than one class for each image, in a real browser. */

import { describe, expect, it } from 'vitest';
import { useTab } from './browser.js';

const tab = useTab({ isShared: true });

describe('other tasks', () => {
  /** Open a model with the inputs `image` [1, 3, 3, 1] and `words` [1, 3]. */
  async function open(name: string): Promise<void> {
    await tab.open(`/vectors/0/${name}.tflite`, { storage: 'memory' });
  }

  it('are several labels of one sample, also with unknown ones', async () => {
    await open('multi_label');
    const { classes, values, history, evaluation, samples } = await tab.page.evaluate(async () => {
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
    const { message, before, after } = await tab.page.evaluate(async () => {
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
    const messages = await tab.page.evaluate(async () => {
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
    const result = await tab.page.evaluate(async () => {
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
