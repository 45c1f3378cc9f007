/** The storage of one model in the browser: databases in the origin private file system. */

import type { SAHPoolUtil } from '@sqlite.org/sqlite-wasm';
import { type Connection, loadSqlite, openMemory, translated } from './sqlite.js';
import { checkStorageName, checkSupport, FOLDER, lock, unavailable } from './storage_folder.js';

const FILES = 8; // two databases, their journals, and temporary files

/** The storage of one model. */
export interface Storage {
  /** Open a database; it is created if it does not exist. */
  open(name: string): Promise<Connection>;
  /** Release the storage, after its databases are closed. */
  close(): void;
}

/** A storage that ends with the page. */
export const MEMORY: Storage = { open: openMemory, close: () => {} };

/**
 * Open the storage of a model for this tab alone.
 *
 * @param name - name of the model: letters, digits, `_`, `-` and `.`, at most 64.
 * @throws DataError if the name is not valid.
 * @throws StoreError if another tab uses it, or the browser offers no storage.
 */
export async function openStorage(name: string): Promise<Storage> {
  checkStorageName(name);
  checkSupport();
  const release = await lock(name);
  try {
    const pool = await install(name);
    return {
      open: async (file) =>
        translated(`the storage ${name}`, () => new pool.OpfsSAHPoolDb(`/${file}`)),
      close: () => {
        pool.pauseVfs(); // closes its files
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

async function install(name: string): Promise<SAHPoolUtil> {
  const sqlite = await loadSqlite();
  try {
    return await sqlite.installOpfsSAHPoolVfs({
      name: `${FOLDER}-${name}`,
      directory: `/${FOLDER}/${name}`,
      initialCapacity: FILES,
    });
  } catch (error) {
    throw unavailable(`${error}`);
  }
}
