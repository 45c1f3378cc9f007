/** Tasks: the meaning of labels, and the correctness of outputs. */

import type { Task as TaskName } from '../../../../contract/generated/contract.js';
import { DataError } from '../errors.js';
import { argmax, sum } from '../numbers.js';
import { Matrix } from './matrix.js';

/**
 * The label of a sample.
 *
 * | task | label |
 * |---|---|
 * | classification | name of the class |
 * | multi_label | names of all labels that apply |
 * | multi_label | name → whether it applies; other targets are missing |
 * | regression | name → value; other targets are missing |
 */
export type Label = string | readonly string[] | Readonly<Record<string, boolean | number>>;

/** A task of a head. Matrices have one row per sample and one column per class index. */
export interface Task {
  /**
   * Return the targets of a label: class name → target.
   *
   * @param label - label of a sample.
   * @param classes - names of all present classes.
   * @throws DataError if the label is not valid for the task.
   */
  targets(label: Label, classes: readonly string[]): Map<string, number>;

  /**
   * Return the weights of a data set: [N, 1], or [N, C] if the outputs are independent.
   *
   * @param targets - targets [N, C]; NaN where a target is missing.
   * @param fractions - fraction of each row, [N].
   */
  weights(targets: Matrix, fractions: Float64Array): Matrix;

  /**
   * Return the targets of training steps, [N, C].
   *
   * @param targets - targets [N, C]; 0 where a target is missing.
   */
  trainingTargets(targets: Matrix): Matrix;

  /**
   * Return the number of correct outputs among those with a weight above 0.
   *
   * @param outputs - outputs [N, C].
   * @param targets - targets [N, C]; 0 where a target is missing.
   * @param weights - weights [N, 1] or [N, C].
   */
  correct(outputs: Matrix, targets: Matrix, weights: Matrix): number;
}

// control characters, surrogates and line ends
const NOT_IN_NAMES = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

const SMOOTHING = 0.3; // of the labels: the part of a target that all classes share

const classification: Task = {
  targets: (label) => new Map([[className(label), 1]]),

  weights(targets, fractions) {
    const classes = rowClasses(targets);
    const sums = new Float64Array(targets.columns);
    classes.forEach((c, row) => {
      sums[c] = (sums[c] as number) + (fractions[row] as number);
    });
    const present = sums.filter((each) => each > 0).length;
    const total = sum(fractions);
    const values = classes.map((c, row) => {
      return (fractions[row] as number) * (total / (present * (sums[c] as number)));
    });
    return new Matrix(Float32Array.from(values), 1);
  },

  // label smoothing (Szegedy et al., 2016) over the classes of the rows: the loss then has its
  // minimum at finite weights, also where samples have wrong labels
  trainingTargets(targets) {
    const present = new Set<number>();
    targets.data.forEach((target, i) => {
      if (target > 0) {
        present.add(i % targets.columns);
      }
    });
    const share = SMOOTHING / Math.max(1, present.size);
    const values = targets.data.map((target, i) => {
      return (1 - SMOOTHING) * target + (present.has(i % targets.columns) ? share : 0);
    });
    return new Matrix(values, targets.columns);
  },

  correct: (outputs, targets) =>
    rowClasses(targets).filter((c, row) => argmax(outputs.row(row)) === c).length,
};

const multiLabel: Task = {
  targets(label, classes) {
    if (typeof label === 'string' || Array.isArray(label)) {
      const names = typeof label === 'string' ? [label] : label;
      const absent = classes.map((name) => [name, 0] as const);
      return new Map([...absent, ...names.map((name) => [className(name), 1] as const)]);
    }
    const values = Object.entries(label as Readonly<Record<string, boolean | number>>);
    return new Map(values.map(([name, value]) => [className(name), value ? 1 : 0]));
  },

  weights: maskMissing,

  trainingTargets: (targets) => targets,

  correct(outputs, targets, weights) {
    let count = 0;
    outputs.data.forEach((output, i) => {
      const isCorrect = output > 0.5 === (targets.data[i] as number) > 0.5;
      count += isCorrect && (weights.data[i] as number) > 0 ? 1 : 0;
    });
    return count;
  },
};

const regression: Task = {
  targets(label) {
    if (typeof label === 'string' || Array.isArray(label)) {
      throw new DataError(
        `the model predicts numbers: give name → number; got ${JSON.stringify(label)}`,
      );
    }
    const values = Object.entries(label as Readonly<Record<string, unknown>>);
    return new Map(values.map(([name, value]) => [className(name), finiteNumber(name, value)]));
  },

  weights: maskMissing,

  trainingTargets: (targets) => targets,

  correct: () => 0, // a regression has no accuracy
};

/** `Manifest.task` → task. */
export const TASKS: Readonly<Record<TaskName, Task>> = {
  classification,
  multi_label: multiLabel,
  regression,
};

/** Return the fraction of correct outputs among those with a weight above 0; see `Task.correct`. */
export function accuracy(task: Task, outputs: Matrix, targets: Matrix, weights: Matrix): number {
  const count = weights.data.filter((weight) => weight > 0).length;
  return task.correct(outputs, targets, weights) / count;
}

/** Return the class of each row: the index of its largest target, the lowest of several. */
export function rowClasses(targets: Matrix): number[] {
  return Array.from({ length: targets.rows }, (_, row) => {
    return argmax(targets.row(row).map((target) => target || 0)); // NaN counts as 0
  });
}

function maskMissing(targets: Matrix, fractions: Float64Array): Matrix {
  const weights = targets.data.map((target, i) => {
    return Number.isNaN(target) ? 0 : (fractions[Math.floor(i / targets.columns)] as number);
  });
  return new Matrix(weights, targets.columns);
}

function className(label: unknown): string {
  if (typeof label !== 'string' || !label.trim()) {
    throw new DataError(
      `a label must be the name of a class, such as 'hat'; got ${JSON.stringify(label)}`,
      'not-a-name',
    );
  }
  if (NOT_IN_NAMES.test(label)) {
    throw new DataError(
      `a label must be one line of printable characters; got ${JSON.stringify(label)}`,
      'not-a-name',
    );
  }
  return label;
}

function finiteNumber(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new DataError(`${name} must be a finite number, got ${String(value)}`);
  }
  return value;
}
