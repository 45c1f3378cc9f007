/** Samples of the tests in the page. */

import type { PredictionsOfInput } from '../src/index.js';
import type { Tab } from './browser.js';

export const RED = [190, 60, 60] as const;
export const BLUE = [60, 60, 190] as const;

export async function addSamples(tab: Tab, count: number, heldOut = false): Promise<void> {
  await tab.page.evaluate(
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

/** Predict an image of noise around a color. */
export function predict(
  tab: Tab,
  color: readonly [number, number, number],
): Promise<PredictionsOfInput> {
  return tab.page.evaluate((rgb) => window.model.predict(window.photo(rgb, 55)), color);
}
