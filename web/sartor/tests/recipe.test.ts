/** The rules of docs/recipe.md that need no model: the vectors of `contract/recipe/`. */

import { describe, expect, it } from 'vitest';
import { ALL_RULES } from './recipe/files.js';
import { RULES } from './recipe/rules.js';
import { difference, toValue } from './recipe/vectors.js';

describe.each(ALL_RULES.filter(({ rule }) => rule in RULES))('$rule', (rule) => {
  it.each(rule.cases)('$about', async ({ inputs, outputs }) => {
    const result = toValue(await RULES[rule.rule]?.(inputs));
    expect(difference(result, outputs)).toBeLessThanOrEqual(rule.tolerance);
  });
});

it('has cases of every rule', () => {
  const rules = ALL_RULES.filter(({ cases }) => cases.length > 0).map(({ rule }) => rule);
  expect(rules).toEqual(expect.arrayContaining(Object.keys(RULES)));
});

describe('difference', () => {
  it('is absolute below 1 and relative above', () => {
    expect(difference({ x: [0.5, 200] }, { x: [0.25, 100] })).toBe(1);
    expect(difference([0.5], [0.25])).toBe(0.25);
  });

  it.each([
    [{ a: 1 }, { b: 1 }],
    [[1], [1, 2]],
    [true, false],
    [null, 1],
    [1, null],
    [Number.NaN, 1],
    ['a', 'b'],
  ])('%j is no %j', (value, expected) => {
    expect(() => difference(value, expected)).toThrow('expected');
  });
});
