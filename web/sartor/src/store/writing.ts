/** Write, change and delete rows of the tables, with their checksums. */

import { STORE_APP } from '../../../../contract/generated/contract.js';
import { hexadecimal } from '../contract/bytes.js';
import { checksum } from '../contract/checksum.js';
import type { Targets } from './checks.js';
import type { EncodedFeatures } from './codec.js';
import type { Database } from './database.js';
import { readAppData, sampleChecksum } from './reading.js';
import type { Value } from './sqlite.js';

const TABLES = [
  ['sample', 'id'],
  ['features', 'sample'],
  ['target', 'sample'],
  ['image', 'sample'],
] as const;

/** A valid sample that is to be stored. */
export interface NewSample extends EncodedFeatures {
  /** Number of rows of features. */
  readonly rows: number;
  readonly targets: Targets;
  /** Hash that identifies the sample, or null. */
  readonly source: Uint8Array | null;
  readonly heldOut: boolean;
  /** Kind (`thumbnail`, `photo`) → image file. */
  readonly images: ReadonlyMap<string, Uint8Array>;
}

/** Return the size of the features and images of a sample, in bytes. */
export function sizeOf({ data, images }: NewSample): number {
  return [...images.values()].reduce((sum, image) => sum + image.length, data.length);
}

/** Return the key of a new class, which no other class has. */
export function newKey(): string {
  return hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * Write a sample and return its ID; the caller holds a transaction.
 *
 * @param keys - class name → key. A new class without one gets a new key.
 */
export function insertSample(
  database: Database,
  sample: NewSample,
  keys: ReadonlyMap<string, string>,
): number {
  const id = database.run(
    'INSERT INTO sample (added, source, feature_rows, bytes, held_out, checksum) ' +
      'VALUES (?, ?, ?, ?, ?, 0)',
    Date.now() / 1000,
    sample.source,
    sample.rows,
    sizeOf(sample),
    sample.heldOut ? 1 : 0,
  );
  const { encoding, data } = sample;
  const features = [id, encoding, data] as const;
  database.run('INSERT INTO features VALUES (?, ?, ?, ?)', ...features, checksum(...features));
  for (const [kind, content] of sample.images) {
    const image = [id, kind, content] as const;
    database.run('INSERT INTO image VALUES (?, ?, ?, ?)', ...image, checksum(...image));
  }
  for (const [name, value] of sample.targets) {
    const key = classId(database, name, keys.get(name));
    database.run('INSERT INTO target VALUES (?, ?, ?)', id, key, value);
  }
  updateChecksum(database, id);
  return id;
}

/** Store a text of the app, or delete it; the caller holds a transaction. */
export function writeAppData(database: Database, key: string, text: string | undefined): void {
  database.run('DELETE FROM meta WHERE key = ?', STORE_APP + key);
  if (text !== undefined) {
    database.run('INSERT INTO meta VALUES (?, ?)', STORE_APP + key, text);
  }
}

/**
 * Copy all samples of another store into an empty one, and replace the data of the app.
 *
 * The caller holds a transaction.
 */
export function copyAll(source: Database, database: Database): void {
  for (const key of readAppData(database, '').keys()) {
    writeAppData(database, key, undefined);
  }
  for (const [key, text] of readAppData(source, '')) {
    writeAppData(database, key, text);
  }
  for (const [table, column] of [['class', 'id'], ...TABLES] as const) {
    for (const [id] of source.rows(`SELECT DISTINCT ${column} FROM ${table}`)) {
      for (const row of source.rows(`SELECT * FROM ${table} WHERE ${column} = ?`, id as Value)) {
        database.run(`INSERT INTO ${table} VALUES (${row.map(() => '?').join(', ')})`, ...row);
      }
    }
  }
  const removed = source.rows('SELECT key FROM removed_class');
  writeRemoved(
    database,
    removed.map(([key]) => key as string),
  );
  database.run('DELETE FROM removed_class WHERE key IN (SELECT key FROM class)');
}

/**
 * Delete samples, and the classes without samples.
 *
 * The model keeps a class whose last sample is evicted; otherwise the class is removed from it.
 */
export function deleteSamples(database: Database, ids: Iterable<number>, isEvicted = false): void {
  for (const id of ids) {
    for (const [table, column] of TABLES) {
      database.run(`DELETE FROM ${table} WHERE ${column} = ?`, id);
    }
  }
  const empty = 'WHERE NOT EXISTS (SELECT 1 FROM target WHERE target.class = class.id)';
  if (!isEvicted) {
    const keys = database.rows(`SELECT key FROM class ${empty}`);
    writeRemoved(
      database,
      keys.map(([key]) => key as string),
    );
  }
  database.run(`DELETE FROM class ${empty}`);
}

/** Delete the targets of a class, and the samples without other targets. */
export function deleteTargets(database: Database, label: string): void {
  const [[id] = []] = database.rows('SELECT id FROM class WHERE name = ?', label);
  const samples = database.rows('SELECT sample FROM target WHERE class = ?', id as number);
  database.run('DELETE FROM target WHERE class = ?', id as number);
  const empty: number[] = [];
  for (const [sample] of samples as [number][]) {
    if (database.rows('SELECT 1 FROM target WHERE sample = ? LIMIT 1', sample).length > 0) {
      updateChecksum(database, sample);
    } else {
      empty.push(sample);
    }
  }
  deleteSamples(database, empty);
}

/** Rename a class; the caller has checked both names. */
export function renameClass(database: Database, old: string, name: string): void {
  const [[id, key] = []] = database.rows('SELECT id, key FROM class WHERE name = ?', old);
  const sum = checksum(id as number, key as string, name);
  database.run('UPDATE class SET name = ?, checksum = ? WHERE id = ?', name, sum, id as number);
}

/** Record that classes are removed, so that an older checkpoint does not bring them back. */
export function writeRemoved(database: Database, keys: Iterable<string>): void {
  for (const key of keys) {
    database.run('INSERT OR IGNORE INTO removed_class VALUES (?)', key);
  }
}

/** Return the ID of a class; a new class is written, with this key or a new one. */
function classId(database: Database, name: string, key = newKey()): number {
  const [row] = database.rows('SELECT id FROM class WHERE name = ?', name);
  if (row !== undefined) {
    return row[0] as number;
  }
  const id = database.run('INSERT INTO class (key, name, checksum) VALUES (?, ?, 0)', key, name);
  database.run('UPDATE class SET checksum = ? WHERE id = ?', checksum(id, key, name), id);
  return id;
}

/** Write the checksum of a sample's row and targets. */
function updateChecksum(database: Database, id: number): void {
  const [row] = database.rows(
    'SELECT id, added, source, feature_rows, bytes, held_out FROM sample WHERE id = ?',
    id,
  );
  const query = 'SELECT class, value FROM target WHERE sample = ? ORDER BY class';
  const sum = sampleChecksum(row as Value[], database.rows(query, id));
  database.run('UPDATE sample SET checksum = ? WHERE id = ?', sum, id);
}
