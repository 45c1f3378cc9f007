/** Eviction of samples from a full store: near-duplicates of the largest class, or random ones. */

import { DataError } from '../errors.js';
import { argmax, range } from '../numbers.js';
import { RandomNumbers } from '../random_numbers.js';
import type { StoredSample } from '../worker/messages.js';
import type { FeatureCodec } from './codec.js';
import type { Database } from './database.js';
import { readFeatures } from './features.js';
import { readSamples } from './reading.js';
import { deleteSamples } from './writing.js';

const NEAR = 0.5; // near-duplicates are closer than this fraction of the median distance
const LATEST = 64; // samples compared with each other: near-duplicates come in bursts

/** Limits of a store; undefined for none. */
export interface Limits {
  readonly maxSamples: number | undefined;
  readonly maxBytes: number | undefined;
}

/** Throw DataError if a limit is not an integer of at least 1. */
export function checkLimits(limits: Limits): void {
  for (const [name, limit] of Object.entries(limits)) {
    if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 1)) {
      throw new DataError(`${name} must be a whole number, at least 1; got ${limit}`);
    }
  }
}

/**
 * Delete samples until the store is within its limits; the caller holds a transaction.
 *
 * @param database - database of the store.
 * @param codec - codec of the features.
 * @param newest - ID of the sample that was just added; it is not evicted.
 * @param limits - limits of the store.
 */
export function evict(
  database: Database,
  codec: FeatureCodec,
  newest: number,
  limits: Limits,
): void {
  let isFirst = true;
  while (isOver(database, limits)) {
    const members = largestClass(database, newest);
    const pair = isFirst ? nearDuplicates(database, codec, members.slice(-LATEST)) : [];
    isFirst = false;
    const candidates = (pair.length > 0 ? pair : members)
      .map(({ id }) => id)
      .filter((id) => id !== newest);
    const draws = candidates.map((id) => -(new RandomNumbers(id).draw(1)[0] as number));
    deleteSamples(database, [candidates[argmax(draws)] as number], true);
  }
}

function isOver(database: Database, { maxSamples, maxBytes }: Limits): boolean {
  const [[count, bytes] = []] = database.rows('SELECT count(*), sum(bytes) FROM sample');
  return (
    (maxSamples !== undefined && (count as number) > maxSamples) ||
    (maxBytes !== undefined && (bytes as number) > maxBytes)
  );
}

/** Return the samples of the largest class with samples other than the newest. */
function largestClass(database: Database, newest: number): StoredSample[] {
  const samples = readSamples(database);
  const classes =
    database.task === 'regression'
      ? []
      : database.rows(
          'SELECT name FROM target JOIN class ON class.id = target.class WHERE value > 0 ' +
            'GROUP BY class.id ORDER BY count(*) DESC, class.id',
        );
  for (const [name] of classes) {
    const members = samples.filter(({ targets }) => (targets[name as string] ?? 0) > 0);
    if (members.some(({ id }) => id !== newest)) {
      return members;
    }
  }
  return samples;
}

/** Return the two closest of these samples if they are near-duplicates, otherwise none. */
function nearDuplicates(
  database: Database,
  codec: FeatureCodec,
  members: readonly StoredSample[],
): StoredSample[] {
  if (members.length < 3) {
    return [];
  }
  const rows = members.map((sample) => {
    // the sample itself, without augmentations
    return readFeatures(database, codec, sample).flatMap((matrix) => Array.from(matrix.row(0)));
  });
  const pairs = range(rows.length).flatMap((i) => {
    return range(rows.length - i - 1).map((j) => [i, i + j + 1] as const);
  });
  const distances = pairs.map(([i, j]) => distance(rows[i] as number[], rows[j] as number[]));
  const median = [...distances].sort((a, b) => a - b)[distances.length >> 1] as number;
  const closest = argmax(distances.map((each) => -each));
  if ((distances[closest] as number) >= NEAR * median) {
    return [];
  }
  return (pairs[closest] as readonly number[]).map((i) => members[i] as StoredSample);
}

/** Return the distance of two rows, computed in float32. */
function distance(a: readonly number[], b: readonly number[]): number {
  return Math.sqrt(a.reduce((sum, x, i) => sum + Math.fround(x - (b[i] as number)) ** 2, 0));
}
