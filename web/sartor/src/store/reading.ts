/** Read samples, features and images from the tables, and compare their checksums. */

import { STORE_APP, STORE_MAX_IMAGE_BYTES } from '../../../../contract/generated/contract.js';
import { hexadecimal } from '../contract/bytes.js';
import { checksum, Real } from '../contract/checksum.js';
import { Matrix } from '../data/matrix.js';
import { DataError } from '../errors.js';
import type { StoredSample } from '../worker/messages.js';
import { checkTargets } from './checks.js';
import type { Database } from './database.js';
import type { SampleSet } from './sample_set.js';
import { damaged, type Value } from './sqlite.js';
import type { Features } from './stored_features.js';

const MOST_ROWS = 1_000_000; // of features of one sample
const LARGEST_TIME = 8.64e12; // seconds that a Date can represent

/** Return the checksum of a sample: its row without the checksum, and pairs (class, value). */
export function sampleChecksum(row: readonly Value[], targets: readonly Value[][]): number {
  const [id, added, source, rows, bytes, heldOut] = row as [
    number,
    number,
    Uint8Array | null,
    number,
    number,
    number,
  ];
  const fields = targets.flatMap(([key, value]) => [key as number, new Real(value as number)]);
  return checksum(id, new Real(added), source, rows, bytes, heldOut, ...fields);
}

/** Return class ID → name, in the order of their first samples. */
export function readClasses(database: Database): Map<number, string> {
  const classes = new Map<number, string>();
  for (const [id, key, name, stored] of database.rows(
    'SELECT id, key, name, checksum FROM class ORDER BY id',
  )) {
    const isText = typeof key === 'string' && typeof name === 'string';
    if (!isText || checksum(id as number, key, name) !== stored) {
      throw damaged(database.name, `the name of class ${id} has changed`);
    }
    classes.set(id as number, name);
  }
  return classes;
}

/** Return class key → name, or null for a removed class. */
export function readClassKeys(database: Database): Map<string, string | null> {
  const names = readClasses(database);
  const keys = new Map<string, string | null>();
  for (const [key] of database.rows('SELECT key FROM removed_class')) {
    keys.set(key as string, null);
  }
  for (const [id, key] of database.rows('SELECT id, key FROM class')) {
    keys.set(key as string, names.get(id as number) as string);
  }
  return keys;
}

/** Return the texts of the app whose keys start with `prefix`: key → text. */
export function readAppData(database: Database, prefix: string): Map<string, string> {
  const start = STORE_APP + prefix;
  const query = 'SELECT key, value FROM meta WHERE substr(key, 1, ?) = ? ORDER BY key';
  const rows = database.rows(query, Array.from(start).length, start);
  return new Map(rows.map(([key, text]) => [`${key}`.slice(STORE_APP.length), `${text}`]));
}

/**
 * Return all samples ordered by ID, or one.
 *
 * @throws StoreError if a row is damaged.
 */
export function readSamples(database: Database, sample?: number): StoredSample[] {
  const classes = readClasses(database);
  const values = sample === undefined ? [] : [sample];
  const where = (column: string) => (sample === undefined ? '' : `WHERE ${column} = ?`);
  const targets = new Map<Value, Value[][]>();
  for (const [id, ...target] of database.rows(
    `SELECT sample, class, value FROM target ${where('sample')} ORDER BY 1, 2`,
    ...values,
  )) {
    targets.set(id as Value, [...(targets.get(id as Value) ?? []), target]);
  }
  const samples = database
    .rows(
      `SELECT id, added, source, feature_rows, bytes, held_out, checksum FROM sample ${where('id')} ` +
        'ORDER BY 1',
      ...values,
    )
    .map((row) => {
      const own = targets.get(row[0] as Value) ?? [];
      targets.delete(row[0] as Value);
      return toSample(database, classes, row, own);
    });
  const [orphan] = targets.keys();
  if (orphan !== undefined) {
    throw damaged(database.name, `sample ${orphan} is missing`);
  }
  return samples;
}

/** Return samples as arrays, with their features; see `SampleSet`. */
export function readSampleSet(
  database: Database,
  samples: readonly StoredSample[],
  features: Features,
): SampleSet {
  const classes = [...readClasses(database).values()];
  const owners = samples.flatMap(({ id, rows }) => Array<number>(rows).fill(id));
  const targets = samples.flatMap((sample) => {
    const row = classes.map((name) => sample.targets[name] ?? Number.NaN);
    return Array<number[]>(sample.rows).fill(row).flat();
  });
  return {
    features,
    samples: owners,
    targets: new Matrix(Float32Array.from(targets), Math.max(1, classes.length)),
    classes,
  };
}

/** Return a thumbnail or photo, or undefined if the sample has none. */
export function readImage(
  database: Database,
  sample: number,
  kind: string,
): Uint8Array | undefined {
  const query =
    'SELECT checksum, CASE WHEN length(data) <= ? THEN data END FROM image ' +
    'WHERE sample = ? AND kind = ?';
  const [row] = database.rows(query, STORE_MAX_IMAGE_BYTES, sample, kind);
  if (row === undefined) {
    return undefined;
  }
  const [stored, data] = row;
  if (!(data instanceof Uint8Array) || checksum(sample, kind, data) !== stored) {
    throw damaged(database.name, `the ${kind} of sample ${sample} has changed`);
  }
  return data;
}

function toSample(
  database: Database,
  classes: ReadonlyMap<number, string>,
  row: readonly Value[],
  targets: readonly Value[][],
): StoredSample {
  const [id, added, source, rows, , heldOut, stored] = row;
  const names = targets.map(([key]) => classes.get(key as number));
  const isValid =
    typeof id === 'number' &&
    typeof added === 'number' &&
    (source === null || source instanceof Uint8Array) &&
    typeof rows === 'number' &&
    rows >= 1 &&
    rows <= MOST_ROWS &&
    (heldOut === 0 || heldOut === 1) &&
    targets.every(([, value]) => typeof value === 'number') &&
    !names.includes(undefined) &&
    sampleChecksum(row, targets) === stored;
  if (!isValid) {
    throw damaged(database.name, `sample ${id} has changed`);
  }
  const named = new Map(names.map((name, i) => [name as string, targets[i]?.[1] as number]));
  try {
    checkTargets(database.task, named);
  } catch (error) {
    throw error instanceof DataError
      ? damaged(database.name, `sample ${id}: ${error.message}`)
      : error;
  }
  const time = Math.max(-LARGEST_TIME, Math.min(added, LARGEST_TIME));
  return {
    id,
    targets: Object.fromEntries(named),
    added: new Date(time * 1000),
    heldOut: heldOut === 1,
    rows,
    source: source === null ? undefined : hexadecimal(source),
  };
}
