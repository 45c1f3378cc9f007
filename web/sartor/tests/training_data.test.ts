/** Trainings without samples of a class or without time, prototypes, and options. */

import { describe, expect, it } from 'vitest';
import { OODDetector } from '../src/confidence/out_of_distribution.js';
import { WithinClassMetric } from '../src/confidence/within_class_metric.js';
import { Dataset } from '../src/data/dataset.js';
import { Matrix } from '../src/data/matrix.js';
import { inMemory } from '../src/store/stored_features.js';
import { type TrainingOptions, trainingConfig } from '../src/training/config.js';
import { Control } from '../src/training/control.js';
import { addPrototypes } from '../src/training/rehearsal.js';
import { classIndices, matrix, table } from './recipe/inputs.js';
import { ToyEngine } from './toy_model.js';
import { start } from './toy_training.js';

describe('a class with weights and no samples', () => {
  it('is kept by a warm start with its prototypes', async () => {
    const engine = new ToyEngine();
    const { history, published } = await start({ engine });
    await history;
    const before = published.at(-1) as (typeof published)[0];
    const detector = before.detector?.withClass(2, [new Matrix(Float32Array.of(-3, -3), 2)], 5);
    const variables = { ...before.variables, class_mask: Float32Array.of(1, 1, 1) };
    const model = { classIndices: classIndices(3), variables, detector };
    const second = await start({ engine, model });
    const { warnings, expectedAccuracy, samples } = await second.history;
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("there are no samples of 'class 2'");
    expect({ expectedAccuracy, samples }).toEqual({ expectedAccuracy: undefined, samples: 16 });
    const weights = second.published.at(-1)?.variables['head/weights'] as Float32Array;
    expect(weights[4]).toBeLessThan(-0.1);
  });
});

describe('prototypes in place of samples', () => {
  it('have the mean length of the rows, over all features tensors', () => {
    const features = [
      matrix([
        [3, 0],
        [0, 6],
      ]),
      matrix([[4], [8]]),
    ]; // of lengths 5 and 10
    const fractions = Float64Array.of(1, 1);
    const targets = matrix([
      [1, 0, 0],
      [1, 0, 0],
    ]);
    const dataset = new Dataset(features, targets, matrix([[1], [1]]), [4, 7], fractions);
    const prototypes = {
      rows: matrix([
        [1, 0, 0],
        [0, 0, 2],
      ]),
      classes: [0, 2],
    };
    const metric = WithinClassMetric.plain(3);
    const parameters = { prototypes, entropyWeight: 0, similarity: 1, threshold: 0, metric };
    const result = addPrototypes(dataset, new OODDetector(parameters), [2]);
    expect(inMemory(result.features).map(table)).toEqual([
      [
        [3, 0],
        [0, 6],
        [0, 0],
      ],
      [[4], [8], [7.5]],
    ]);
    expect(result.samples).toEqual([4, 7, 8]);
    expect(table(result.targets)[2]).toEqual([0, 0, 1]);
    expect(table(result.weights).flat()).toEqual([0.75, 0.75, 1.5]);
  });
});

describe('a time limit that has passed', () => {
  it('ends further work, and not that without a limit', async () => {
    expect(await new Control(1e-9).limited().wait()).toBe(false);
    const control = new Control();
    expect(await control.limited().wait()).toBe(true);
    control.stop();
    expect(await control.limited().wait()).toBe(false);
  });

  it('completes the training without an epoch, and says that nothing was measured', async () => {
    const { history } = await start({ options: { seconds: 1e-9 } });
    const { epochs, stopped, warnings } = await history;
    expect({ epochs, stopped }).toEqual({ epochs: [], stopped: false });
    expect(warnings[0]).toContain('there was no time to measure it');
  });
});

describe('options', () => {
  it.each([
    [{ epochs: 0 }, 'epochs must be a whole number, at least 1; got 0'],
    [{ seconds: Number.POSITIVE_INFINITY }, 'seconds must be a finite number above 0'],
    [{ learningRate: -1 }, 'learningRate must be a finite number, at least 0; got -1'],
    [{ seed: 0.5 }, 'seed must be a whole number, at least 0; got 0.5'],
    [{ decay: 'step' }, 'decay must be one of cosine, linear, constant; got "step"'],
    [{ decay: 'toString' }, 'decay must be one of'],
    [{ warmStart: 1 }, 'warmStart must be true or false; got 1'],
    [{ rate: 1 }, 'a training has no option rate'],
  ])('%j is refused', (options, message) => {
    expect(() => trainingConfig(options as TrainingOptions)).toThrow(message);
  });
});
