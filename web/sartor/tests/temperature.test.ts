/** The temperature of many samples, and the expected calibration error. */

import { afterEach, expect, it, vi } from 'vitest';
import { expectedCalibrationError, fitTemperature } from '../src/confidence/temperature.js';
import { range } from '../src/numbers.js';
import { matrix } from './recipe/inputs.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it('the fit of many samples lets messages pass', async () => {
  let time = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => {
    time += 5; // ms; each part takes some
    return time;
  });
  const rows = range(5000);
  const samples = {
    outputs: matrix(rows.map(() => [0.75, 0.25])),
    targets: matrix(rows.map((i) => (i % 8 ? [1, 0] : [0, 1]))),
    weights: matrix(rows.map(() => [1])),
    isIndependent: false,
  };
  let [turns, isRunning] = [0, true];
  const count = () => {
    turns += 1;
    return isRunning && setImmediate(count);
  };
  count();
  const temperature = await fitTemperature(samples, 1);
  isRunning = false;
  expect(turns).toBeGreaterThan(64); // 32 passes in 5 parts
  expect(temperature).toBeCloseTo(Math.log(3) / Math.log(7), 2);
});

// Two of three outputs are correct; Python has the same errors.
it.each([
  ['15 bins for 80 samples', 80, 0.1033203125],
  ['2 bins for 12 samples', 12, 0.1451822917],
  ['1 bin for 4 samples', 4, 0.005859375],
])('the calibration error has %s', (_, count, error) => {
  const rows = range(count);
  const outputs = matrix(rows.map((i) => [0.5 + i / 256, 0.5 - i / 256]));
  const targets = matrix(rows.map((i) => (i % 3 ? [1, 0] : [0, 1])));
  expect(expectedCalibrationError(outputs, targets)).toBeCloseTo(error, 6);
});
