/**
 * Groups of near-duplicate samples, such as the photos of a burst.
 *
 * A near-duplicate of a training sample says nothing about new samples: with five photos per class
 * and four more frames of each, folds that ignore groups give an expected accuracy 25 to 45 points
 * too high. So cross-validation and early stopping hold out whole groups.
 */

import { concatenate, type Matrix } from '../data/matrix.js';
import { addTo, groupBy, range, sum } from '../numbers.js';
import { takeTurns } from '../turns.js';

const NEAR = 0.5; // near-duplicates are closer than this fraction of the typical distance
const BLOCK = 64; // numbers between two checks of a limit
const LATEST = 256; // representatives of a class that a sample is compared with: bounds the cost

/**
 * Assign a group to each row: near-duplicates of one class share a group.
 *
 * The typical distance is the root mean square of the Euclidean distance between the features of
 * two samples of the same class. The samples of a class are visited in order. The first sample of a
 * group represents it. A sample joins the group of its nearest representative if that is at most
 * 1/2 of the typical distance away; otherwise it starts a group. Only the latest 256
 * representatives of the class are compared.
 *
 * @param features - N rows of each features tensor.
 * @param classes - class index of each row, [N].
 * @param samples - number of the sample of each row, [N]. The first row of a sample counts, the
 *   others are its augmentations.
 * @returns the group of each row, [N], from 0, numbered by their first samples.
 */
export async function groupNearDuplicates(
  features: readonly Matrix[],
  classes: readonly number[],
  samples: readonly number[],
): Promise<number[]> {
  const { rows, classOfRow, first } = firstRows(features, classes, samples);
  await takeTurns();
  const limit = NEAR ** 2 * typicalSquare(rows, classOfRow);
  await takeTurns();
  const representative = range(rows.rows); // the first sample of the group of each sample
  for (const members of groupBy(
    representative.slice(),
    (row) => classOfRow[row] as number,
  ).values()) {
    const latest: number[] = [];
    for (const member of members) {
      const nearest = nearestRow(rows, member, latest, limit);
      if (nearest !== undefined) {
        representative[member] = nearest;
      } else {
        latest.push(member);
        latest.splice(0, latest.length - LATEST);
      }
      await takeTurns();
    }
  }
  const numbers = new Map([...new Set(representative)].map((row, number) => [row, number]));
  const numberOfSample = new Map(
    first.map((row, i) => [samples[row], numbers.get(representative[i] as number) as number]),
  );
  return samples.map((sample) => numberOfSample.get(sample) as number);
}

/**
 * Return the mean squared distance within classes, as a fraction of that of any two samples.
 *
 * If each class consists of one burst, no group of near-duplicates stands out, but this fraction is
 * about 0.1. For photos that differ it is 0.8 to 0.9.
 *
 * @returns the fraction; 1 if all samples are equal, or no class has two samples.
 */
export function withinClassFraction(
  features: readonly Matrix[],
  classes: readonly number[],
  samples: readonly number[],
): number {
  const { rows, classOfRow } = firstRows(features, classes, samples);
  const within = typicalSquare(rows, classOfRow);
  const total = typicalSquare(
    rows,
    classOfRow.map(() => 0),
  );
  return within && total ? within / total : 1;
}

/** Return the first row of each sample, minus the mean of all, as float32 [n, F]. */
function firstRows(
  features: readonly Matrix[],
  classes: readonly number[],
  samples: readonly number[],
) {
  const first = range(samples.length).filter((row) => samples[row] !== samples[row - 1]);
  const rows = concatenate(features.map((each) => each.take(first)));
  const center = columnMeans(rows, range(rows.rows));
  for (let row = 0; row < rows.rows; row += 1) {
    subtract(rows.row(row), center);
  }
  return { rows, first, classOfRow: first.map((row) => classes[row] as number) };
}

/** Return the mean squared distance between two samples of the same class; 0 without a pair. */
function typicalSquare(rows: Matrix, classes: readonly number[]): number {
  let squares = 0;
  let pairs = 0;
  const byClass = groupBy(range(rows.rows), (row) => classes[row] as number);
  for (const index of [...byClass.keys()].sort((a, b) => a - b)) {
    const members = byClass.get(index) as number[];
    const center = columnMeans(rows, members);
    squares += sum(members.map((row) => squaredDeviation(rows.row(row), center)));
    pairs += members.length - 1;
  }
  return pairs ? (2 * squares) / pairs : 0;
}

/** Return the candidate with the smallest squared distance to a row, at most `limit`. */
function nearestRow(
  rows: Matrix,
  member: number,
  candidates: readonly number[],
  limit: number,
): number | undefined {
  const row = rows.row(member);
  let nearest: number | undefined;
  let smallest = limit;
  for (const candidate of candidates) {
    const square = squaredDistance(row, rows.row(candidate), smallest);
    if (nearest === undefined ? square <= limit : square < smallest) {
      nearest = candidate;
      smallest = square;
    }
  }
  return nearest;
}

/**
 * Return the squared distance of two vectors, or a part of it that is above a limit: most distances
 * of a class are.
 */
function squaredDistance(a: Float32Array, b: Float32Array, limit: number): number {
  let total = 0;
  for (let start = 0; start < a.length && total <= limit; start += BLOCK) {
    const end = Math.min(start + BLOCK, a.length);
    for (let i = start; i < end; i += 1) {
      const difference = (a[i] as number) - (b[i] as number);
      total += difference * difference;
    }
  }
  return total;
}

function columnMeans(rows: Matrix, members: readonly number[]): Float64Array {
  const totals = new Float64Array(rows.columns);
  for (const member of members) {
    addTo(totals, rows.row(member));
  }
  return totals.map((total) => total / members.length);
}

function squaredDeviation(row: Float32Array, center: Float64Array): number {
  let total = 0;
  for (let i = 0; i < row.length; i += 1) {
    total += ((row[i] as number) - (center[i] as number)) ** 2;
  }
  return total;
}

function subtract(row: Float32Array, center: Float64Array): void {
  for (let i = 0; i < row.length; i += 1) {
    row[i] = (row[i] as number) - (center[i] as number);
  }
}
