/** SQLite, loaded once into the worker, and its errors as errors of Sartor. */

import sqlite3InitModule, {
  type Sqlite3Static,
  type Database as SqliteDatabase,
} from '@sqlite.org/sqlite-wasm';
import { StoreError } from '../errors.js';

/** A value of a column. */
export type Value = number | bigint | string | Uint8Array | null;

/** A connection to a database. */
export type Connection = SqliteDatabase;

let loading: Promise<Sqlite3Static> | undefined;

/**
 * Load SQLite, unless that is done.
 *
 * @throws StoreError if its files cannot be loaded.
 */
export function loadSqlite(): Promise<Sqlite3Static> {
  loading ??= Promise.race([initialize(), unhandledRejection()]).catch((error) => {
    loading = undefined;
    throw new StoreError(
      `the files of @sqlite.org/sqlite-wasm cannot be loaded: ${error}. With Vite, use the plugin ` +
        'of sartor/vite',
    );
  });
  return loading;
}

function initialize(): Promise<Sqlite3Static> {
  // SQLite warns that it lacks another way to store files, which needs a cross-origin isolated page.
  Object.assign(globalThis, { sqlite3ApiConfig: { warn: () => {} } });
  return (sqlite3InitModule as (options: object) => Promise<Sqlite3Static>)({
    print: () => {},
    printErr: () => {}, // errors are thrown too
  });
}

/** Reject if a promise fails in the worker that SQLite does not return, as that of its wasm file. */
function unhandledRejection(): Promise<never> {
  return new Promise((_, reject) => {
    const report = ({ reason }: PromiseRejectionEvent) => reject(reason);
    globalThis.addEventListener?.('unhandledrejection', report, { once: true });
  });
}

/** Open a database in memory. */
export async function openMemory(): Promise<Connection> {
  const sqlite = await loadSqlite();
  return new sqlite.oo1.DB(':memory:', 'c');
}

/**
 * Open a copy of a database file in memory.
 *
 * @param content - bytes of the file.
 * @throws StoreError if it is not an SQLite file.
 */
export async function openCopy(content: Uint8Array, name: string): Promise<Connection> {
  const sqlite = await loadSqlite();
  const { capi, wasm } = sqlite;
  if (new TextDecoder('latin1').decode(content.subarray(0, 16)) !== 'SQLite format 3\0') {
    throw damaged(name, 'it is not an SQLite file');
  }
  const copy = content.slice();
  copy.fill(1, 18, 20); // a file that was written with a log, which a copy in memory has not
  const connection = await openMemory();
  const pointer = wasm.allocFromTypedArray(copy);
  const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_RESIZEABLE;
  const size = copy.length;
  const database = connection.pointer as number;
  const code = capi.sqlite3_deserialize(database, 'main', pointer, size, size, flags);
  if (code !== 0) {
    connection.close();
    throw damaged(name, `SQLite reports the error ${code}`);
  }
  return connection;
}

/** Return the content of a database as the bytes of a file. */
export async function exportDatabase(connection: Connection): Promise<Uint8Array> {
  const sqlite = await loadSqlite();
  return sqlite.capi.sqlite3_js_db_export(connection);
}

/** Return the error of a damaged store. */
export function damaged(name: string, reason: string): StoreError {
  return new StoreError(
    `${name} is damaged: ${reason}. Import a project, or delete the stored samples with ` +
      'PersonalModel.deleteStorage and add them again.',
  );
}

/**
 * Run a function, and throw StoreError instead of an error of SQLite.
 *
 * @param name - name of the store, for the message.
 */
export function translated<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw isSqliteError(error) ? translate(name, error) : error;
  }
}

interface SqliteError extends Error {
  readonly resultCode: number;
}

const [BUSY, READ_ONLY, INPUT_OUTPUT, FULL, CANNOT_OPEN] = [5, 8, 10, 13, 14]; // result codes
const MISUSE = 21;

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'resultCode' in error;
}

function translate(name: string, error: SqliteError): StoreError {
  const code = error.resultCode & 0xff;
  if ([READ_ONLY, INPUT_OUTPUT, FULL, CANNOT_OPEN].includes(code)) {
    return new StoreError(
      `${name} cannot be written: the storage of the browser is full, or was deleted ` +
        `(${error.message}). Nothing was changed. Free space or forget samples, and try again.`,
      'storage-full',
    );
  }
  if (code === BUSY || code === MISUSE) {
    return new StoreError(`${name} is closed or busy: open the model again (${error.message})`);
  }
  return damaged(name, error.message);
}
