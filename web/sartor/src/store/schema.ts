/** The tables of a store: create and check them. */

import {
  STORE_APPLICATION_ID,
  STORE_SCHEMA,
  STORE_VERSION,
} from '../../../../contract/generated/contract.js';
import { StoreError } from '../errors.js';
import { type Connection, damaged, openMemory, type Value } from './sqlite.js';

const CHECK_LIMIT = 64 << 20; // bytes: checking them takes a second
const OBJECTS =
  "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name";

/**
 * Return whether a file is empty, not yet a store.
 *
 * @throws StoreError if it belongs to another program, or has another version.
 */
export function isNew(connection: Connection, name: string): boolean {
  const application = Number(connection.selectValue('PRAGMA application_id'));
  const version = Number(connection.selectValue('PRAGMA user_version'));
  if (application === 0 && version === 0 && connection.selectArrays(OBJECTS).length === 0) {
    return true;
  }
  if (application !== STORE_APPLICATION_ID) {
    throw new StoreError(`${name} is an SQLite file, but not a sample store of Sartor.`);
  }
  if (version !== STORE_VERSION) {
    const action = version > STORE_VERSION ? 'Update Sartor.' : 'Add the samples again.';
    throw new StoreError(
      `${name} is a store of version ${version}; this Sartor supports version ${STORE_VERSION}. ` +
        action,
      'other-version',
    );
  }
  return false;
}

/** Create the tables; the caller holds a transaction. */
export function createSchema(connection: Connection): void {
  for (const statement of STORE_SCHEMA) {
    connection.exec(statement);
  }
  connection.exec(`PRAGMA application_id = ${STORE_APPLICATION_ID}`);
  connection.exec(`PRAGMA user_version = ${STORE_VERSION}`);
}

/**
 * Check the pages of a file, unless it is large, and compare its tables with those of a new store.
 *
 * @throws StoreError if they are damaged, or differ; views and triggers are refused.
 */
export async function checkSchema(connection: Connection, name: string): Promise<void> {
  const pages = Number(connection.selectValue('PRAGMA page_count'));
  const size = pages * Number(connection.selectValue('PRAGMA page_size'));
  const verdict = size > CHECK_LIMIT ? 'ok' : connection.selectValue('PRAGMA integrity_check(1)');
  if (verdict !== 'ok') {
    throw damaged(name, String(verdict).replaceAll('\n', ' '));
  }
  const expected = await openMemory();
  try {
    createSchema(expected);
    if (description(connection) !== description(expected)) {
      throw damaged(name, 'its tables are not the tables of a store');
    }
  } finally {
    expected.close();
  }
}

/** Return a description of all tables, columns and indices. */
function description(connection: Connection): string {
  const objects = connection.selectArrays(OBJECTS) as Value[][];
  const tables = objects.filter(([type]) => type === 'table').map(([, name]) => String(name));
  const columns = tables.map((table) =>
    connection.selectArrays('SELECT * FROM pragma_table_xinfo(?)', [table]),
  );
  return JSON.stringify([objects, columns]);
}
