import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSite, type Site } from './browser.js';

let site: Site;
let page: Page;

beforeAll(async () => {
  site = await openSite();
  page = await site.newPage();
});

afterAll(async () => {
  await site?.close();
});

it('learns from samples, trains and predicts', async () => {
  const result = await page.evaluate(async () => {
    const { PersonalModel } = window.sartor;
    const model = await PersonalModel.open('/vectors/0/float_adam.tflite', { name: 'first' });
    const size = model.manifest.inputs[0]?.shape.reduce((a, b) => a * b, 1) ?? 0;
    const sample = (level: number, i: number) =>
      Float32Array.from({ length: size }, (_, at) => level + 0.1 * Math.sin(at * (i + 1)));
    for (let i = 0; i < 8; i += 1) {
      await model.addSample(sample(-1, i), 'dark');
      await model.addSample(sample(1, i), 'bright');
    }
    const before = await model.predict(sample(1, 9));
    const losses: number[] = [];
    const history = await model.fit({}, { onEpoch: ({ loss }) => losses.push(loss) }).history;
    const after = await model.predict(sample(1, 9));
    return {
      before,
      losses,
      history,
      after,
      classes: await model.classes(),
      notes: model.notes,
      manifest: model.manifest,
    };
  });
  console.log(
    JSON.stringify({ ...result, manifest: undefined, history: undefined }).slice(0, 3000),
  );
  expect(result.after.best?.label).toBe('bright');
});
