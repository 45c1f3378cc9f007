/** A metric in which the samples of a class differ less: Mahalanobis cosine similarity. */

import { OOD_DIRECTIONS } from '../../../../contract/generated/contract.js';
import { Matrix } from '../data/matrix.js';
import { CheckpointError } from '../errors.js';
import { distinct, dot, indicesOf, norm, range, sum } from '../numbers.js';
import { takeTurns } from '../turns.js';
import { choleskyFactor, solveTriangular } from './cholesky.js';
import { sumOfRows } from './prototypes.js';

const MOST_DIRECTIONS = 64;
const RIDGE = 0.3; // of the mean square of the residuals
const SMALLEST_SQUARE = 1e-6;
const LARGEST_SQUARE = 1.001; // V Vᵀ is at most I

/**
 * The inner product `⟨a, b⟩ = a · b − (V a) · (V b)`.
 *
 * V follows from the residuals R of a few rows, their differences to the means of their classes:
 * `V = L⁻¹ R`, with `L Lᵀ = R Rᵀ + λ I`. By the Woodbury identity, the metric is the inverse of
 * `I + Rᵀ R / λ`, a regularized covariance within the classes, as in a Mahalanobis distance,
 * without a matrix of F² numbers.
 */
export class WithinClassMetric {
  /** @param directions - V, [D, F]; D is at most 64. The metric is plain without directions. */
  constructor(readonly directions: Matrix) {}

  /** Return the plain inner product of vectors of `size` numbers. */
  static plain(size: number): WithinClassMetric {
    return new WithinClassMetric(Matrix.filled(0, size));
  }

  /**
   * Fit the metric to rows.
   *
   * @param rows - rows of length 1, [N, F]; N at least 1.
   * @param classes - class index of each row, [N].
   * @param most - largest number of directions, besides 64 and N. Default: 64.
   */
  static async fit(
    rows: Matrix,
    classes: readonly number[],
    most = MOST_DIRECTIONS,
  ): Promise<WithinClassMetric> {
    const count = Math.min(MOST_DIRECTIONS, rows.rows, most);
    const chosen = range(count).map((j) => Math.floor((j * rows.rows) / count));
    const residuals = residualsOf(rows, classes, chosen);
    const products: Float64Array[] = [];
    for (const [i, residual] of residuals.entries()) {
      products.push(Float64Array.from(residuals.slice(0, i + 1), (other) => dot(residual, other)));
      await takeTurns();
    }
    const meanSquare = sum(products.map((row, i) => row[i] as number)) / count;
    if (!(meanSquare >= SMALLEST_SQUARE)) {
      return WithinClassMetric.plain(rows.columns);
    }
    for (const [i, row] of products.entries()) {
      row[i] = (row[i] as number) + RIDGE * meanSquare;
    }
    await solveTriangular(choleskyFactor(products), residuals);
    const directions = residuals.map((row) => new Matrix(Float32Array.from(row), rows.columns));
    return new WithinClassMetric(Matrix.stack(directions));
  }

  /**
   * Create a metric of vectors of `size` numbers from the directions of a checkpoint.
   *
   * @param directions - V, row by row; undefined for the plain metric.
   * @throws CheckpointError if the directions have another size, or values that none can have.
   */
  static fromTensor(directions: Float32Array | undefined, size: number): WithinClassMetric {
    if (directions === undefined) {
      return WithinClassMetric.plain(size);
    }
    const count = directions.length / size;
    if (!Number.isInteger(count) || count < 1 || count > MOST_DIRECTIONS) {
      throw new CheckpointError(
        `expected ${OOD_DIRECTIONS} [D × ${size}] with D at most ${MOST_DIRECTIONS}, got ` +
          `[${directions.length}]: the checkpoint is damaged`,
      );
    }
    const rows = new Matrix(directions, size);
    if (!range(count).every((row) => norm(rows.row(row)) ** 2 <= LARGEST_SQUARE)) {
      throw new CheckpointError(
        `${OOD_DIRECTIONS} has rows longer than 1: the checkpoint is damaged`,
      );
    }
    return new WithinClassMetric(rows);
  }

  /** Return the norm `√⟨x, x⟩` of a vector in this metric. */
  norm(row: Float32Array): number {
    const square = dot(row, row) - norm(this.directions.times(row)) ** 2;
    return Math.sqrt(Math.max(square, SMALLEST_SQUARE));
  }

  /**
   * Return vectors whose products with rows are similarities, but for `norm`.
   *
   * `x · p′ / √⟨x, x⟩` is the cosine similarity of x and p in this metric, times the length of p.
   *
   * @param prototypes - prototypes, [R, F].
   * @returns a matrix [R, F]: `p′ = |p| (p − Vᵀ V p) / √⟨p, p⟩`.
   */
  transform(prototypes: Matrix): Matrix {
    const result = prototypes.take(range(prototypes.rows));
    for (let i = 0; i < result.rows; i += 1) {
      this.#transform(result.row(i));
    }
    return result;
  }

  #transform(row: Float32Array): void {
    const factor = norm(row) / this.norm(row);
    const inner = Float64Array.from(row);
    for (const [j, coefficient] of this.directions.times(row).entries()) {
      const direction = this.directions.row(j);
      for (let k = 0; k < inner.length; k += 1) {
        inner[k] = (inner[k] as number) - coefficient * (direction[k] as number);
      }
    }
    row.set(inner.map((each) => factor * each));
  }
}

/** Return the differences of some rows to the means of all rows of their classes. */
function residualsOf(
  rows: Matrix,
  classes: readonly number[],
  chosen: readonly number[],
): Float64Array[] {
  const means = new Map<number, Float64Array>();
  for (const index of distinct(chosen.map((row) => classes[row] as number))) {
    const members = indicesOf(classes, (each) => each === index);
    means.set(
      index,
      sumOfRows(rows, members).map((total) => total / members.length),
    );
  }
  return chosen.map((row) => {
    const mean = means.get(classes[row] as number) as Float64Array;
    const values = rows.row(row);
    return mean.map((center, k) => (values[k] as number) - center);
  });
}
