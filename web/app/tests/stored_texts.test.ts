/** The texts of the app in a project, which anyone may have written. */

import { expect, it } from 'vitest';
import { readPlaces, writePlaces } from '../src/layout.js';
import { parseResult, type TrainingResult } from '../src/saved_results.js';

const RESULT: TrainingResult = {
  losses: [0.7, 0.2],
  expectedAccuracy: 0.9,
  samples: 12,
  warnings: ['there is one class only'],
  weights: undefined,
};
const HEAD = '0123';

it('reads the result that the app or the Android app has written', () => {
  const text = JSON.stringify({ ...RESULT, epochs: 2 });
  expect(parseResult(text, HEAD)).toEqual(RESULT);
  const unknown = JSON.stringify({ ...RESULT, expectedAccuracy: null, head: HEAD });
  expect(parseResult(unknown, HEAD)).toEqual({ ...RESULT, expectedAccuracy: undefined });
  const weights = { ...RESULT, weights: '45ab' };
  expect(parseResult(JSON.stringify(weights), HEAD)).toEqual(weights);
});

it.each([
  undefined,
  '',
  '{',
  'null',
  '[]',
  '7',
  JSON.stringify({ ...RESULT, losses: 'x' }),
  JSON.stringify({ ...RESULT, losses: [1, null] }),
  JSON.stringify({ ...RESULT, losses: Array.from({ length: 100_000 }, () => 1) }),
  JSON.stringify({ ...RESULT, samples: '12' }),
  JSON.stringify({ ...RESULT, warnings: [{ html: '<b>' }] }),
  JSON.stringify({ ...RESULT, head: 'another' }),
  JSON.stringify({ ...RESULT, weights: 7 }),
])('reads no result in text %#', (text) => {
  expect(parseResult(text, HEAD)).toBeUndefined();
});

it('reads the places of the classes, and leaves out what is none', () => {
  const places = [
    { id: 0, name: 'Hat', color: 3 },
    { id: 1, name: 'Cup', color: 0 },
  ];
  expect(readPlaces(writePlaces(places))).toEqual(places);
  const hostile = [
    { name: 'Hat', color: 3 },
    null,
    7,
    { name: 5, color: 1 },
    { name: 'x', color: 1e99 },
  ];
  expect(readPlaces(JSON.stringify(hostile))).toEqual([places[0]]);
  for (const text of [undefined, '', 'null', '{}', '"x"', '{"a":']) {
    expect(readPlaces(text)).toEqual([]);
  }
});
