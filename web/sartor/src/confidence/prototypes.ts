/** Prototypes: a few typical feature directions per class. */

import { concatenate, Matrix } from '../data/matrix.js';
import { addTo, distinct, dot, indicesOf, norm, range } from '../numbers.js';
import { takeTurns } from '../turns.js';

const MOST_PROTOTYPES = 4; // per class
const ITERATIONS = 3;
const SHORTEST = 1e-12;

/** Prototypes with their classes. */
export interface Prototypes {
  /** Prototypes, [R, F]. */
  readonly rows: Matrix;
  /** Class index of each prototype, [R]. */
  readonly classes: readonly number[];
}

/**
 * Concatenate the features of each row and scale them to length 1.
 *
 * @param features - N rows of each features tensor.
 * @returns a matrix [N, F]; a row of zeros stays zero.
 */
export function unitFeatures(features: readonly Matrix[]): Matrix {
  const rows = concatenate(features);
  for (let row = 0; row < rows.rows; row += 1) {
    scaleToLength(rows.row(row), 1);
  }
  return rows;
}

/**
 * Compute at most four prototypes per class, with spherical k-means.
 *
 * The cosine similarity between a row and the mean of many others is about √ρ; between a row and a
 * single other one it is ρ. So the prototypes of a class with n rows get the length
 * √(1 + (1/ρ − 1)/n), which makes scores of classes with few and with many rows comparable.
 *
 * @param rows - rows of length 1, [N, F]; N at least 1.
 * @param classes - class index of each row, [N].
 * @param similarity - ρ, the mean cosine similarity within a class, above 0.
 */
export async function classPrototypes(
  rows: Matrix,
  classes: readonly number[],
  similarity: number,
): Promise<Prototypes> {
  const indices: number[] = [];
  const centers: Matrix[] = [];
  for (const index of distinct(classes)) {
    const members = rows.take(indicesOf(classes, (each) => each === index));
    const ofClass = sphericalKMeans(members);
    await takeTurns();
    const length = prototypeLength(similarity, members.rows);
    ofClass.data.forEach((value, i) => {
      ofClass.data[i] = length * value;
    });
    centers.push(ofClass);
    indices.push(...range(ofClass.rows).map(() => index));
  }
  return { rows: Matrix.stack(centers), classes: indices };
}

/**
 * Return the length of the prototypes of a class; see `classPrototypes`.
 *
 * @param similarity - mean cosine similarity within a class.
 * @param count - number of rows of the class.
 */
export function prototypeLength(similarity: number, count: number): number {
  return Math.sqrt(1 + (1 / similarity - 1) / count);
}

/** Return the largest product of a row with a prototype. */
export function largestProduct(row: Float32Array, prototypes: Matrix): number {
  return prototypes.times(row).reduce((highest, each) => Math.max(highest, each), -Infinity);
}

/**
 * Return at most four cluster centers of length 1.
 *
 * The first centers are evenly spaced rows: rows beside each other may be photos of one burst.
 */
function sphericalKMeans(rows: Matrix): Matrix {
  const count = Math.min(MOST_PROTOTYPES, rows.rows);
  const centers = rows.take(range(count).map((i) => Math.floor((i * rows.rows) / count)));
  for (let iteration = 0; iteration < ITERATIONS; iteration += 1) {
    const nearest = range(rows.rows).map((row) => nearestCenter(rows.row(row), centers));
    for (const center of range(count)) {
      const sums = sumOfRows(
        rows,
        indicesOf(nearest, (each) => each === center),
      );
      const length = norm(sums);
      if (length > 0) {
        centers.row(center).set(sums.map((each) => each / Math.max(length, SHORTEST)));
      }
    }
  }
  return centers;
}

/** Return the index of the center with the largest product, the first of several. */
function nearestCenter(row: Float32Array, centers: Matrix): number {
  let best = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (let center = 0; center < centers.rows; center += 1) {
    const product = dot(row, centers.row(center));
    if (product > highest) {
      best = center;
      highest = product;
    }
  }
  return best;
}

/** Return the sum of some of the rows, in float64. */
export function sumOfRows(rows: Matrix, members: readonly number[]): Float64Array {
  const totals = new Float64Array(rows.columns);
  for (const member of members) {
    addTo(totals, rows.row(member));
  }
  return totals;
}

/** Scale a vector in place; zeros stay zero. */
export function scaleToLength(row: Float32Array, length: number): void {
  const factor = length / Math.max(norm(row), SHORTEST);
  for (let i = 0; i < row.length; i += 1) {
    row[i] = (row[i] as number) * factor;
  }
}
