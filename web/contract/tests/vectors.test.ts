import { describe, expect, it } from 'vitest';
import { difference, parseVectors, type TensorJson } from '../src/vectors.js';

const expected: Record<string, TensorJson> = {
  loss: { shape: [2], dtype: 'float32', data: [0.5, 200] },
};

describe('parseVectors', () => {
  it('refuses vectors of another contract version', () => {
    expect(() => parseVectors({ contract: 2 })).toThrow('version 2, expected 1');
  });
});

describe('difference', () => {
  it('is absolute below 1 and relative above', () => {
    expect(difference({ loss: { shape: [2], data: [0.5, 200] } }, expected)).toBe(0);
    expect(difference({ loss: { shape: [2], data: [0.6, 200] } }, expected)).toBeCloseTo(0.1);
    expect(difference({ loss: { shape: [2], data: [0.5, 210] } }, expected)).toBeCloseTo(0.05);
  });

  it('is NaN where a value is', () => {
    expect(difference({ loss: { shape: [2], data: [Number.NaN, 200] } }, expected)).toBeNaN();
    expect(difference({ loss: { shape: [2], data: [0.5] } }, expected)).toBeNaN();
  });

  it('refuses other names and shapes', () => {
    expect(() => difference({}, expected)).toThrow('expected loss');
    expect(() => difference({ loss: { shape: [2, 1], data: [0.5, 200] } }, expected)).toThrow(
      '[2]',
    );
  });
});
