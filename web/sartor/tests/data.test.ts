/** Labels, matrices, and the means of new classes. */

import { describe, expect, it } from 'vitest';
import { Matrix } from '../src/data/matrix.js';
import { accuracy, type Label, TASKS } from '../src/data/tasks.js';
import { DataError } from '../src/errors.js';
import { NewClasses } from '../src/new_classes.js';
import { matrix, table } from './recipe/inputs.js';

const { classification, multi_label: multiLabel, regression } = TASKS;

describe('the targets of a label', () => {
  it.each([
    ['a class', classification, 'hat', { hat: 1 }],
    ['one of several labels', multiLabel, 'hat', { hat: 1, shoe: 0 }],
    ['several labels, one of them new', multiLabel, ['hat', 'tie'], { hat: 1, shoe: 0, tie: 1 }],
    ['no label', multiLabel, [], { hat: 0, shoe: 0 }],
    ['some labels of which others are missing', multiLabel, { hat: false }, { hat: 0 }],
    ['numbers', regression, { age: 3.5, size: 0 }, { age: 3.5, size: 0 }],
  ])('%s', (_, task, label, targets) => {
    const result = task.targets(label as Label, ['hat', 'shoe']);
    expect(Object.fromEntries(result)).toEqual(targets);
  });

  it.each([
    ['an empty name', classification, ' ', 'the name of a class'],
    ['several names of a classification', classification, ['hat'], 'the name of a class'],
    ['a name of two lines', classification, 'a\nb', 'one line of printable characters'],
    ['a name with half a character', multiLabel, ['\ud83c'], 'one line of printable characters'],
    ['a name for a number', regression, 'hat', 'give name → number'],
    ['a number that is not finite', regression, { age: Number.NaN }, 'age must be a finite number'],
  ])('refuse %s', (_, task, label, message) => {
    const targets = () => task.targets(label as Label, []);
    expect(targets).toThrow(DataError);
    expect(targets).toThrow(message);
  });
});

describe('the accuracy', () => {
  it('of classes is that of the largest outputs', () => {
    const outputs = matrix([
      [0.6, 0.4],
      [0.1, 0.9],
      [0.5, 0.5],
    ]);
    const targets = matrix([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(accuracy(classification, outputs, targets, matrix([[1], [1], [1]]))).toBeCloseTo(2 / 3);
  });

  it('of several labels counts the targets that are present', () => {
    const outputs = matrix([
      [0.6, 0.4],
      [0.1, 0.9],
    ]);
    const targets = matrix([
      [1, 1],
      [0, 0],
    ]);
    expect(
      accuracy(
        multiLabel,
        outputs,
        targets,
        matrix([
          [1, 1],
          [1, 0],
        ]),
      ),
    ).toBeCloseTo(2 / 3);
  });
});

describe('new classes', () => {
  const specs = [
    { name: 'features', shape: [2], dtype: 'float32', scale: null, zero_point: null },
    { name: 'features_1', shape: [1, 1], dtype: 'float32', scale: null, zero_point: null },
  ];
  const rows = (first: number[][], second: number[][]) => [matrix(first, 2), matrix(second, 1)];
  const meanOf = (classes: NewClasses, label: string) => classes.means.get(label)?.row().map(table);

  it('have the mean of all their samples, of each features tensor', () => {
    const classes = new NewClasses(specs);
    classes.addSamples(
      'hat',
      rows(
        [
          [1, 2],
          [3, 4],
        ],
        [[5], [7]],
      ),
    );
    classes.addSamples('hat', rows([[8, 0]], [[0]]));
    expect(meanOf(classes, 'hat')).toEqual([[[4, 2]], [[4]]]);
    classes.setSamples('hat', rows([[1, 1]], [[1]]));
    expect(meanOf(classes, 'hat')).toEqual([[[1, 1]], [[1]]]);
  });

  it('have no mean without samples', () => {
    const classes = new NewClasses(specs);
    classes.addClass('hat');
    expect(classes.hasSamples('hat')).toBe(false);
    expect(meanOf(classes, 'hat')).toEqual([[], []]);
    expect([...classes.changed]).toEqual(['hat']);
  });

  it('are no longer new after a training with samples of them', () => {
    const classes = new NewClasses(specs);
    classes.addSamples('hat', rows([[1, 2]], [[5]]));
    classes.addClass('empty');
    classes.beginTraining();
    classes.addSamples('late', rows([[1, 2]], [[5]]));
    classes.rename(new Map([['hat', 'cap']]));
    classes.changed.clear();
    classes.endTraining({ hasFailed: false });
    expect([...classes.means.keys()]).toEqual(['empty', 'late']);
    expect([...classes.changed]).toEqual(['late']);
  });

  it('are new again if the training has failed', () => {
    const classes = new NewClasses(specs);
    classes.addSamples('hat', rows([[1, 2]], [[5]]));
    classes.beginTraining();
    classes.endTraining({ hasFailed: false }); // an intermediate result was published
    classes.endTraining({ hasFailed: true });
    expect(meanOf(classes, 'hat')).toEqual([[[1, 2]], [[5]]]);
    expect([...classes.changed]).toEqual(['hat']);
  });
});

describe('a matrix', () => {
  it('takes, stacks and cuts rows', () => {
    const rows = matrix([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(table(rows.take([2, 0]))).toEqual([
      [5, 6],
      [1, 2],
    ]);
    expect(table(Matrix.stack([rows.first(1), rows.take([])]))).toEqual([[1, 2]]);
    expect(new Matrix(new Float32Array(), 0).rows).toBe(0);
  });
});
