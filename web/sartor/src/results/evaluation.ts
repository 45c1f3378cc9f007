/** Evaluation of a model: loss, accuracy, confusion matrix and calibration error. */

import type { Manifest, Task } from '../../../../contract/generated/contract.js';
import { expectedCalibrationError } from '../confidence/temperature.js';
import { Batch, evaluateBatches } from '../data/batches.js';
import { type ClassIndices, Dataset } from '../data/dataset.js';
import { Matrix } from '../data/matrix.js';
import { DataError } from '../errors.js';
import type { Engine } from '../litert/engine.js';
import { argmax, range, sum } from '../numbers.js';
import type { Evaluation } from './records.js';

/** Outputs with their targets, one column per class. */
interface Labelled {
  /** Class names, in the order of the columns. */
  readonly labels: readonly string[];
  /** Outputs, [N, K]. */
  readonly outputs: Matrix;
  /** Targets, [N, K]; NaN where a target is missing. */
  readonly targets: Matrix;
}

/** An evaluation that takes one sample at a time, so that large data sets need little memory. */
export class Evaluator {
  readonly #batch: Batch;
  readonly #outputs: Matrix[] = [];
  readonly #targets: Matrix[] = [];
  #pending: { features: readonly Matrix[]; targets: Matrix }[] = [];
  #loss = 0;

  /**
   * @param engine - engine that holds the model; its variables do not change.
   * @param manifest - manifest of the model.
   * @param classIndices - class name → class index, of all present classes.
   */
  constructor(
    private readonly engine: Engine,
    private readonly manifest: Manifest,
    private readonly classIndices: ClassIndices,
  ) {
    this.#batch = new Batch(manifest);
  }

  /**
   * Add one sample.
   *
   * @param features - one row of each features tensor.
   * @param targets - class name → target; others are missing.
   */
  async add(features: readonly Matrix[], targets: ReadonlyMap<string, number>): Promise<void> {
    const row = Matrix.filled(1, this.manifest.classes.length, Number.NaN);
    for (const [name, target] of targets) {
      row.data[this.classIndices.get(name) as number] = target;
    }
    this.#pending.push({ features, targets: row });
    if (this.#pending.length === this.#batch.size) {
      await this.#evaluatePending();
    }
  }

  /**
   * Return the evaluation of all samples that were added.
   *
   * @throws DataError if no sample was added.
   */
  async result(): Promise<Evaluation> {
    await this.#evaluatePending();
    if (this.#targets.length === 0) {
      throw new DataError('there are no samples to evaluate on: give at least one');
    }
    const labels = [...this.classIndices.keys()];
    const columns = [...this.classIndices.values()];
    const targets = takeColumns(Matrix.stack(this.#targets), columns);
    const outputs = takeColumns(Matrix.stack(this.#outputs), columns);
    const { task } = this.manifest;
    const belongs = (target: number) =>
      task === 'regression' ? !Number.isNaN(target) : target > 0;
    return {
      accuracy: undefined,
      loss: this.#loss / targets.rows,
      samples: targets.rows,
      labels,
      perClass: new Map(labels.map((label) => [label, undefined])),
      confusion: [],
      absoluteError: new Map(),
      support: new Map(
        labels.map((label, i) => [label, column(targets, i).filter(belongs).length]),
      ),
      ...METRICS[task]({ labels, outputs, targets }),
    };
  }

  /** Evaluate the samples that wait for a full batch. */
  async #evaluatePending(): Promise<void> {
    const pending = this.#pending;
    if (pending.length === 0) {
      return;
    }
    this.#pending = [];
    const targets = Matrix.stack(pending.map((each) => each.targets));
    const weights = this.manifest.weights_per_output
      ? mapMatrix(targets, (target) => (Number.isNaN(target) ? 0 : 1))
      : Matrix.filled(targets.rows, 1, 1);
    const dataset = new Dataset(
      this.manifest.features.map((_, i) => {
        return Matrix.stack(pending.map(({ features }) => features[i] as Matrix));
      }),
      mapMatrix(targets, (target) => target || 0), // NaN becomes 0
      weights,
      range(targets.rows),
      new Float64Array(targets.rows).fill(1),
    );
    const { loss, outputs } = await evaluateBatches(this.engine, this.#batch, dataset);
    this.#loss += loss * targets.rows;
    this.#outputs.push(outputs);
    this.#targets.push(targets);
  }
}

/** `Manifest.task` → function that computes the metrics of the task. */
const METRICS: Readonly<Record<Task, (labelled: Labelled) => Partial<Evaluation>>> = {
  classification({ labels, outputs, targets }) {
    const classes = mapMatrix(targets, (target) => target || 0);
    const confusion = labels.map(() => labels.map(() => 0));
    for (const row of range(outputs.rows)) {
      const counts = confusion[argmax(classes.row(row))] as number[];
      const predicted = argmax(outputs.row(row));
      counts[predicted] = (counts[predicted] as number) + 1;
    }
    const correct = confusion.map((counts, i) => counts[i] as number);
    return {
      accuracy: sum(correct) / outputs.rows,
      perClass: ratios(labels, correct, confusion.map(sum)),
      confusion,
      calibrationError: expectedCalibrationError(outputs, classes),
    };
  },

  multi_label({ labels, outputs, targets }) {
    const correct = mapMatrix(targets, (target, i) => {
      return !Number.isNaN(target) && (outputs.data[i] as number) > 0.5 === target > 0.5 ? 1 : 0;
    });
    const counts = countsOf(targets);
    return {
      accuracy: sum(correct.data) / sum(counts),
      perClass: ratios(labels, columnSums(correct), counts),
    };
  },

  regression({ labels, outputs, targets }) {
    const errors = mapMatrix(targets, (target, i) => {
      return Math.abs((outputs.data[i] as number) - target) || 0; // NaN becomes 0
    });
    return { absoluteError: ratios(labels, columnSums(errors), countsOf(targets)) };
  },
};

/** Return the number of targets of each column that are not missing. */
function countsOf(targets: Matrix): number[] {
  return range(targets.columns).map((i) => {
    return column(targets, i).filter((target) => !Number.isNaN(target)).length;
  });
}

/** Return class name → sum / count; undefined if the count is 0. */
function ratios(
  labels: readonly string[],
  sums: readonly number[],
  counts: readonly number[],
): Map<string, number | undefined> {
  return new Map(
    labels.map((label, i) => {
      const count = counts[i] as number;
      return [label, count > 0 ? (sums[i] as number) / count : undefined];
    }),
  );
}

function columnSums(matrix: Matrix): number[] {
  return range(matrix.columns).map((i) => sum(column(matrix, i)));
}

function column(matrix: Matrix, index: number): number[] {
  return range(matrix.rows).map((row) => matrix.at(row, index));
}

function takeColumns(matrix: Matrix, columns: readonly number[]): Matrix {
  const values = range(matrix.rows).flatMap((row) => columns.map((each) => matrix.at(row, each)));
  return new Matrix(Float32Array.from(values), columns.length);
}

function mapMatrix(matrix: Matrix, value: (value: number, index: number) => number): Matrix {
  return new Matrix(matrix.data.map(value), matrix.columns);
}
