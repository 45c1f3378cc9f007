/** The engine on LiteRT.js: the vectors of the contract, and its promises. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filesOf } from '../../contract/tests/browser.js';
import { ISOLATED, messageOf, openModel, openSite, type Site } from './browser.js';

const CASES = filesOf('.json').filter(({ name }) => name !== 'recurrent.json');
const MODEL = '/vectors/0/float_adam.tflite';

let site: Site;
let page: Page;

beforeAll(async () => {
  site = await openSite();
  page = await site.newPage();
});

afterAll(async () => {
  await site?.close();
});

it.each(CASES)('returns the outputs of $name', async ({ url }) => {
  const outcomes = await page.evaluate((address) => window.replayVectors(address), url);
  expect(outcomes.length).toBeGreaterThan(0);
  expect(outcomes.filter((outcome) => !(outcome.difference <= 1e-5))).toEqual([]);
});

it('runs calls in the order in which they are made, on copies of their inputs', async () => {
  const [first, second, initial, last] = await page.evaluate(async (url) => {
    const engine = await window.loadEngine(url);
    const variables = await engine.variables();
    const temperature = Float32Array.of(2);
    const restored = engine.restore({ ...variables, temperature });
    temperature[0] = 3;
    const calls = [engine.variables(), engine.restore({ ...variables, temperature })] as const;
    const results = [await calls[0], await engine.variables()];
    await restored;
    results.push(await engine.initialVariables(), await engine.variables());
    return results.map((each) => each.temperature?.[0]);
  }, MODEL);
  expect([first, second, initial, last]).toEqual([2, 3, 1, 3]);
});

it('has copies with variables of their own', async () => {
  const values = await page.evaluate(async (url) => {
    const engine = await window.loadEngine(url);
    const copy = await engine.copy();
    const variables = await engine.variables();
    await engine.restore({ ...variables, temperature: Float32Array.of(5) });
    return [engine, copy].map(async (each) => (await each.variables()).temperature?.[0]).at(1);
  }, MODEL);
  expect(values).toBe(1);
});

it.each([
  [
    'of another size',
    { run: new Float32Array(2) },
    'run must be Float32Array [1], 1 values; got Float32Array, 2',
  ],
  [
    'of another type',
    { run: new Int32Array(1) },
    'run must be Float32Array [1], 1 values; got Int32Array, 1',
  ],
  ['of another name', { other: new Float32Array(1) }, 'save takes run; got other'],
  ['that are missing', {}, 'save takes run; got nothing'],
])('refuses inputs %s', async (_, inputs, message) => {
  const action = page.evaluate(
    async ([url, names, kinds, sizes]) => {
      const engine = await window.loadEngine(url);
      const tensors = names.map((name, i) => {
        const type = kinds[i] === 'Int32Array' ? Int32Array : Float32Array;
        return [name, new type(sizes[i] ?? 0)] as const;
      });
      await engine.run('save', Object.fromEntries(tensors));
    },
    [
      MODEL,
      Object.keys(inputs),
      Object.values(inputs).map((value) => value.constructor.name),
      Object.values(inputs).map((value) => value.length),
    ] as const,
  );
  expect(await messageOf(action)).toContain(message);
});

it('refuses calls after it is closed', async () => {
  const action = page.evaluate(async (url) => {
    const engine = await window.loadEngine(url);
    engine.close();
    await engine.variables();
  }, MODEL);
  expect(await messageOf(action)).toContain('the model is closed');
});

it('names a runtime that is missing', async () => {
  const other = await site.newPage();
  const action = other.evaluate(() =>
    window.sartor.PersonalModel.open('/files/image.tflite', {
      storage: 'memory',
      runtime: '/none/',
    }),
  );
  expect(await messageOf(action)).toMatch(/the runtime .*\/none\/.* cannot be loaded/);
  await other.close();
});

it('uses threads in a cross-origin isolated page, and refuses them elsewhere', async () => {
  const options = { storage: 'memory', threads: true } as const;
  const refusal = await messageOf(openModel(page, '/files/image.tflite', options));
  expect(refusal).toContain('several threads need a cross-origin isolated page');
  const isolated = await openSite(ISOLATED);
  try {
    const other = await isolated.newPage();
    await openModel(other, '/files/image.tflite', { ...options, storage: 'browser' });
    const label = await other.evaluate(async () => {
      await window.model.addSample(window.photo([190, 60, 60], 1), 'red');
      await window.model.addSample(window.photo([60, 60, 190], 1), 'blue');
      await window.model.fit({ epochs: 3 }).history;
      return (await window.model.predict(window.photo([60, 60, 190], 2))).best?.label;
    });
    expect(label).toBe('blue');
  } finally {
    await isolated.close();
  }
});
