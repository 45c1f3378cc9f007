/** The main path in Firefox: open, add samples, train, predict, save, and open again. */

import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { Firefox, firefoxPath } from './firefox.js';

const path = firefoxPath();
let firefox: Firefox;

if (path === undefined) {
  const message = 'the test in Firefox, because it is missing: apt-get install firefox-esr';
  if (process.env.CI) {
    throw new Error(`cannot run ${message}`);
  }
  console.warn(`NOT RUN: ${message}`);
}

beforeAll(async () => {
  if (path !== undefined) {
    firefox = await Firefox.start(path);
  }
});

afterAll(() => firefox?.close());

it.skipIf(path === undefined)('learns, saves by itself, and continues after a reload', async () => {
  await firefox.open(inject('url'));
  const before = await firefox.evaluate(async () => {
    const model = await window.sartor.PersonalModel.open('/files/image.tflite');
    for (let seed = 0; seed < 6; seed += 1) {
      await model.addSample(window.photo([190, 60, 60], seed), 'red');
      await model.addSample(window.photo([60, 60, 190], seed), 'blue');
    }
    const { expectedAccuracy } = await model.fit({ epochs: 20 }).history;
    return { expectedAccuracy, ...(await model.predict(window.photo([60, 60, 190], 9))) };
  });
  expect(before.expectedAccuracy).toBe(1);
  expect(before.best?.label).toBe('blue');
  await firefox.open(inject('url')); // without closing the model, as a user does
  const after = await firefox.evaluate(async () => {
    const model = await window.sartor.PersonalModel.open('/files/image.tflite');
    return {
      classes: await model.classes(),
      ...(await model.predict(window.photo([60, 60, 190], 9))),
    };
  });
  expect(after.ranking).toEqual(before.ranking);
  expect(after.classes).toMatchObject([
    { name: 'red', samples: 6, trained: true },
    { name: 'blue', samples: 6, trained: true },
  ]);
});
