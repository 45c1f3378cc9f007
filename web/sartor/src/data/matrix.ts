/** Rows of numbers of the same length. */

/** A float32 matrix, row by row. */
export class Matrix {
  /** Number of rows. */
  readonly rows: number;

  /**
   * @param data - values, row by row.
   * @param columns - number of values of a row, at least 1.
   */
  constructor(
    readonly data: Float32Array,
    readonly columns: number,
  ) {
    this.rows = data.length / columns;
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

  /** Return the first rows. */
  first(count: number): Matrix {
    return new Matrix(this.data.subarray(0, count * this.columns), this.columns);
  }
}
