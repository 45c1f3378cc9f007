/** The engine on LiteRT.js: the vectors of the contract, and its promises. */

import type { Page } from 'playwright-core';
import { describe, expect, inject, it } from 'vitest';
import { filesOf, urlOf } from '../../contract/tests/browser.js';
import { messageOf, openModel, openSite, useTab } from './browser.js';
import { type Headers, ISOLATED, servePage } from './server.js';

const CASES = filesOf('.json').filter(({ name }) => name !== 'recurrent.json');
const MODEL = '/vectors/0/float_adam.tflite';

const tab = useTab({ isShared: true });

it.each(CASES)('returns the outputs of $name', async ({ url }) => {
  const outcomes = await tab.page.evaluate((address) => window.replayVectors(address), url);
  expect(outcomes.length).toBeGreaterThan(0);
  expect(outcomes.filter((outcome) => !(outcome.difference <= 1e-5))).toEqual([]);
});

it('runs calls in the order in which they are made, on copies of their inputs', async () => {
  const [first, second, initial, last] = await tab.page.evaluate(async (url) => {
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
  const values = await tab.page.evaluate(async (url) => {
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
  const action = tab.page.evaluate(
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
  const action = tab.page.evaluate(async (url) => {
    const engine = await window.loadEngine(url);
    engine.close();
    await engine.variables();
  }, MODEL);
  expect(await messageOf(action)).toContain('the model is closed');
});

it('names a runtime that is missing', async () => {
  const other = await tab.site.newPage();
  const action = other.evaluate(() =>
    window.sartor.PersonalModel.open('/files/image.tflite', {
      storage: 'memory',
      runtime: '/none/',
    }),
  );
  expect(await messageOf(action)).toMatch(/the runtime .*\/none\/.* cannot be loaded/);
  await other.close();
});

describe('threads', () => {
  const options = { storage: 'memory', threads: true } as const;

  /** Run an action in an isolated page, with these headers of the files of LiteRT.js. */
  async function onSite(runtime: Headers, action: (page: Page) => Promise<void>) {
    const server = await servePage(inject('folder'), ISOLATED, runtime);
    const site = await openSite(urlOf(server));
    try {
      await action(await site.newPage());
    } finally {
      await site.close();
      await server.close();
    }
  }

  it('are used in a cross-origin isolated page', async () => {
    await onSite(ISOLATED, async (page) => {
      await openModel(page, '/files/image.tflite', { ...options, storage: 'browser' });
      const label = await page.evaluate(async () => {
        await window.model.addSample(window.photo([190, 60, 60], 1), 'red');
        await window.model.addSample(window.photo([60, 60, 190], 1), 'blue');
        await window.model.fit({ epochs: 3 }).history;
        return (await window.model.predict(window.photo([60, 60, 190], 2))).best?.label;
      });
      expect(label).toBe('blue');
    });
  });

  it('are refused in other pages', async () => {
    const refusal = await messageOf(openModel(tab.page, '/files/image.tflite', options));
    expect(refusal).toContain('several threads need a cross-origin isolated page');
  });

  it('are refused if the browser would block their script', async () => {
    await onSite({}, async (page) => {
      const refusal = await messageOf(openModel(page, '/files/image.tflite', options));
      expect(refusal).toMatch(/need .*threaded.*\.js with the header .*require-corp, got none/);
    });
  });
});
