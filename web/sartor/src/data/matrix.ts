/** Rows of numbers of the same length. */

import { dot } from '../numbers.js';

/** A float32 matrix, row by row. */
export class Matrix {
  /** Number of rows. */
  readonly rows: number;

  /**
   * @param data - values, row by row.
   * @param columns - number of values of a row; 0 only without rows.
   */
  constructor(
    readonly data: Float32Array,
    readonly columns: number,
  ) {
    this.rows = columns === 0 ? 0 : data.length / columns;
  }

  /** Return a matrix of a value. Default: 0. */
  static filled(rows: number, columns: number, value = 0): Matrix {
    return new Matrix(new Float32Array(rows * columns).fill(value), columns);
  }

  /** Return matrices of equal numbers of columns as one, below each other; at least one. */
  static stack(parts: readonly Matrix[]): Matrix {
    const columns = parts[0]?.columns ?? 1;
    const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
    let at = 0;
    for (const part of parts) {
      data.set(part.data, at);
      at += part.data.length;
    }
    return new Matrix(data, columns);
  }

  /** Return a view of a row. */
  row(index: number): Float32Array {
    return this.data.subarray(index * this.columns, (index + 1) * this.columns);
  }

  /** Return one value. */
  at(row: number, column: number): number {
    return this.data[row * this.columns + column] as number;
  }

  /** Return a copy of some of the rows. */
  take(rows: ArrayLike<number>): Matrix {
    const result = Matrix.filled(rows.length, this.columns);
    for (let i = 0; i < rows.length; i += 1) {
      result.data.set(this.row(rows[i] as number), i * this.columns);
    }
    return result;
  }

  /** Return the products of all rows with a vector of as many columns. */
  times(vector: Float32Array): Float64Array {
    const { data, rows, columns } = this;
    const result = new Float64Array(rows);
    const end = rows - (rows % 4);
    for (let i = 0; i < end; i += 4) {
      let [s, t, u, v] = [0, 0, 0, 0];
      const first = i * columns;
      for (let k = 0; k < columns; k += 1) {
        const x = vector[k] as number;
        s += (data[first + k] as number) * x;
        t += (data[first + columns + k] as number) * x;
        u += (data[first + 2 * columns + k] as number) * x;
        v += (data[first + 3 * columns + k] as number) * x;
      }
      result.set([s, t, u, v], i);
    }
    for (let i = end; i < rows; i += 1) {
      result[i] = dot(this.row(i), vector);
    }
    return result;
  }

  /** Return the first rows. */
  first(count: number): Matrix {
    return new Matrix(this.data.subarray(0, count * this.columns), this.columns);
  }
}

/** Return matrices of equal numbers of rows as one, beside each other; at least one. */
export function concatenate(parts: readonly Matrix[]): Matrix {
  const columns = parts.reduce((total, part) => total + part.columns, 0);
  const result = Matrix.filled(parts[0]?.rows ?? 0, columns);
  for (let row = 0; row < result.rows; row += 1) {
    let at = 0;
    for (const part of parts) {
      result.row(row).set(part.row(row), at);
      at += part.columns;
    }
  }
  return result;
}
