/** Cholesky factors of small matrices, and systems of equations with them, in float64. */

import { dot } from '../numbers.js';
import { takeTurns } from '../turns.js';

/**
 * Return the Cholesky factor L of a matrix A: `L Lᵀ = A`.
 *
 * @param matrix - A, [D, D], symmetric and positive definite: its rows up to the diagonal.
 * @returns the rows of L up to the diagonal.
 */
export function choleskyFactor(matrix: readonly Float64Array[]): Float64Array[] {
  const factor = matrix.map(({ length }) => new Float64Array(length));
  for (const [i, row] of factor.entries()) {
    for (const [j, other] of factor.slice(0, i + 1).entries()) {
      const rest = at(matrix[i], j) - dot(row.subarray(0, j), other.subarray(0, j));
      row[j] = i === j ? Math.sqrt(rest) : rest / at(other, j);
    }
  }
  return factor;
}

/**
 * Replace X by the solution Y of `L Y = X`.
 *
 * @param factor - rows of L up to the diagonal, which has no zeros.
 * @param rows - rows of X, [D, F].
 */
export async function solveTriangular(
  factor: readonly Float64Array[],
  rows: readonly Float64Array[],
): Promise<void> {
  for (const [i, row] of rows.entries()) {
    for (const [j, solved] of rows.slice(0, i).entries()) {
      const weight = at(factor[i], j);
      for (let k = 0; k < row.length; k += 1) {
        row[k] = (row[k] as number) - weight * (solved[k] as number);
      }
    }
    const pivot = at(factor[i], i);
    for (let k = 0; k < row.length; k += 1) {
      row[k] = (row[k] as number) / pivot;
    }
    await takeTurns();
  }
}

function at(row: Float64Array | undefined, column: number): number {
  return row?.[column] as number;
}
