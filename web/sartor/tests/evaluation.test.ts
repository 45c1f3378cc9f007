/** The metrics of an evaluation, on an engine with given outputs. */

import { describe, expect, it } from 'vitest';
import type { Task } from '../../../contract/generated/contract.js';
import type { Engine } from '../src/litert/engine.js';
import { Evaluator } from '../src/results/evaluation.js';
import { predictionsOf } from '../src/results/records.js';
import { manifestOf, matrix } from './recipe/inputs.js';

const CLASSES = new Map([
  ['hat', 0],
  ['shoe', 2],
]);
const LOSS = 0.5;

/** Return the evaluation of samples whose outputs are their features, in batches of 2. */
async function evaluate(task: Task, samples: [number[], Record<string, number>][]) {
  const manifest = manifestOf(task, 3, {
    batch_size: 2,
    features: [{ name: 'features', shape: [3], dtype: 'float32', scale: null, zero_point: null }],
  });
  const engine = {
    run: async (_: unknown, inputs: Readonly<Record<string, Float32Array>>) => ({
      loss: Float32Array.of(LOSS),
      output: inputs.features,
    }),
  };
  const evaluator = new Evaluator(engine as unknown as Engine, manifest, CLASSES);
  for (const [output, targets] of samples) {
    await evaluator.add([matrix([output])], new Map(Object.entries(targets)));
  }
  return evaluator.result();
}

describe('an evaluation', () => {
  it('of classes has a confusion matrix: rows are true classes, columns are predictions', async () => {
    const result = await evaluate('classification', [
      [[0.75, 0, 0.25], { hat: 1 }],
      [[0.25, 0, 0.75], { hat: 1 }],
      [[0.25, 0, 0.75], { shoe: 1 }],
    ]);
    expect(result).toMatchObject({
      labels: ['hat', 'shoe'],
      confusion: [
        [1, 1],
        [0, 1],
      ],
      loss: LOSS,
      samples: 3,
    });
    expect(result.accuracy).toBeCloseTo(2 / 3);
    expect([...result.perClass]).toEqual([
      ['hat', 0.5],
      ['shoe', 1],
    ]);
    expect([...result.support.values()]).toEqual([2, 1]);
    expect(result.calibrationError).toBeCloseTo(0.75 - 2 / 3, 6);
  });

  it('of several labels leaves missing targets out', async () => {
    const result = await evaluate('multi_label', [
      [[0.75, 0, 0.25], { hat: 1 }],
      [[0.25, 0, 0.75], { hat: 1, shoe: 1 }],
    ]);
    expect(result.accuracy).toBeCloseTo(2 / 3);
    expect([...result.perClass.values()]).toEqual([0.5, 1]);
    expect({ ...result, confusion: result.confusion.length }).toMatchObject({ confusion: 0 });
    expect(result.calibrationError).toBeUndefined();
  });

  it('of numbers has absolute errors, and no accuracy', async () => {
    const result = await evaluate('regression', [
      [[2, 0, -1], { hat: 3 }],
      [[5, 0, -1], { hat: 3 }],
    ]);
    expect(result.accuracy).toBeUndefined();
    expect([...result.absoluteError.values()]).toEqual([1.5, undefined]);
    expect([...result.support.values()]).toEqual([2, 0]);
  });

  it('needs samples', async () => {
    await expect(evaluate('classification', [])).rejects.toThrow('there are no samples');
  });
});

describe('predictions', () => {
  const outputs = new Map([
    ['hat', 0.25],
    ['shoe', 0.75],
  ]);

  it('are sorted by falling probability', () => {
    expect(predictionsOf(outputs).ranking.map(({ label }) => label)).toEqual(['shoe', 'hat']);
    expect(predictionsOf(outputs, true).best).toEqual({ label: 'shoe', probability: 0.75 });
  });

  it('have no best class if the input resembles none, or there is no class', () => {
    expect(predictionsOf(outputs, false)).toMatchObject({ inDistribution: false, best: undefined });
    expect(predictionsOf(new Map()).best).toBeUndefined();
  });
});
