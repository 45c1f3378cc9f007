/** Comparison of rows with the prototypes of other rows, to fit an OOD detector. */

import type { Matrix } from '../data/matrix.js';
import { addTo, clamp, distinct, groupBy, indicesOf, range } from '../numbers.js';
import { takeTurns } from '../turns.js';
import { classPrototypes, largestProduct } from './prototypes.js';
import { WithinClassMetric } from './within_class_metric.js';

const LEAST_SIMILARITY = 0.05;

/** The rows that are held out together. */
export interface Part {
  /** Rows of a fold, n in all. */
  readonly heldOut: readonly number[];
  /** The other rows. */
  readonly others: readonly number[];
  /** Metric of the other rows. */
  readonly metric: WithinClassMetric;
  /** Norms of the rows of the fold in this metric, [n]. */
  readonly norms: readonly number[];
}

/** Return a part for each fold that does not have all rows. */
export async function heldOutParts(
  rows: Matrix,
  classes: readonly number[],
  folds: readonly number[],
): Promise<Part[]> {
  const parts: Part[] = [];
  for (const fold of distinct(folds.filter((each) => each >= 0))) {
    const heldOut = indicesOf(folds, (each) => each === fold);
    const others = indicesOf(folds, (each) => each !== fold);
    if (others.length > 0) {
      const metric = await WithinClassMetric.fit(rows.take(others), take(classes, others));
      parts.push({ heldOut, others, metric, norms: await normsOf(rows, heldOut, metric) });
    }
  }
  return parts;
}

/**
 * Return ρ, the mean cosine similarity of two rows of a class.
 *
 * The pairs are rows of the same part, in its metric. If no part has two rows of a class, they are
 * any two rows, in the plain metric.
 *
 * @returns 0.05…1; 1 if no class has two rows.
 */
export async function withinClassSimilarity(
  rows: Matrix,
  classes: readonly number[],
  parts: readonly Part[],
): Promise<number> {
  const heldOut = meanSimilarity(rows, classes, parts);
  if (heldOut !== undefined) {
    return heldOut;
  }
  const [all, metric] = [range(rows.rows), WithinClassMetric.plain(rows.columns)];
  const plain = { heldOut: all, others: [], metric, norms: await normsOf(rows, all, metric) };
  return meanSimilarity(rows, classes, [plain]) ?? 1;
}

/**
 * Compare each held-out row with the prototypes of the rows outside its fold.
 *
 * @param similarity - ρ, the mean cosine similarity within a class.
 * @returns the held-out rows whose class has rows outside their fold, and their similarities.
 */
export async function heldOutSimilarities(
  rows: Matrix,
  classes: readonly number[],
  parts: readonly Part[],
  similarity: number,
): Promise<{ rows: number[]; similarities: number[] }> {
  const similarities = new Map<number, number>();
  for (const { heldOut, others, metric, norms } of parts) {
    const otherClasses = take(classes, others);
    const prototypes = await classPrototypes(rows.take(others), otherClasses, similarity);
    const transformed = metric.transform(prototypes.rows);
    for (const [i, row] of heldOut.entries()) {
      if (otherClasses.includes(classes[row] as number)) {
        const product = largestProduct(rows.row(row), transformed);
        similarities.set(row, product / (norms[i] as number));
      }
      await takeTurns();
    }
  }
  const sorted = [...similarities.keys()].sort((a, b) => a - b);
  return { rows: sorted, similarities: sorted.map((row) => similarities.get(row) as number) };
}

/** Return ρ of the held-out rows of parts, 0.05…1; undefined if no part has two rows of a class. */
function meanSimilarity(
  rows: Matrix,
  classes: readonly number[],
  parts: readonly Part[],
): number | undefined {
  let total = 0;
  let pairs = 0;
  for (const { heldOut, metric, norms } of parts) {
    const byClass = groupBy(range(heldOut.length), (i) => classes[heldOut[i] as number] as number);
    for (const members of byClass.values()) {
      const sums = new Float64Array(rows.columns);
      for (const i of members) {
        addTo(sums, rows.row(heldOut[i] as number), 1 / (norms[i] as number));
      }
      const mean = Float32Array.from(sums, (each) => each / members.length);
      total += members.length * metric.norm(mean) ** 2 - 1;
      pairs += members.length - 1;
    }
  }
  return pairs ? clamp(total / pairs, LEAST_SIMILARITY, 1) : undefined;
}

async function normsOf(
  rows: Matrix,
  members: readonly number[],
  metric: WithinClassMetric,
): Promise<number[]> {
  const norms: number[] = [];
  for (const row of members) {
    norms.push(metric.norm(rows.row(row)));
    await takeTurns();
  }
  return norms;
}

function take(classes: readonly number[], rows: readonly number[]): number[] {
  return rows.map((row) => classes[row] as number);
}
