/** The expected calibration error of many and of few samples. */

import { expect, it } from 'vitest';
import { expectedCalibrationError } from '../src/confidence/temperature.js';
import { range } from '../src/numbers.js';
import { matrix } from './recipe/inputs.js';

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
