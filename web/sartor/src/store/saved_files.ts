/** Files in the storage of a model, such as the checkpoint: written completely or not at all. */

import { checksum } from '../contract/checksum.js';
import { type Connection, damaged, translated } from './sqlite.js';

const SCHEMA =
  'CREATE TABLE IF NOT EXISTS file (name TEXT PRIMARY KEY, data BLOB NOT NULL, ' +
  'checksum INTEGER NOT NULL) WITHOUT ROWID';
const PLACE = 'the saved state'; // for messages

/** Files in a database: name → content. */
export class SavedFiles {
  readonly #connection: Connection;

  /**
   * @param connection - connection to the database.
   * @throws StoreError if the database is damaged.
   */
  constructor(connection: Connection) {
    this.#connection = connection;
    translated(PLACE, () => connection.exec(`PRAGMA synchronous=EXTRA; ${SCHEMA}`));
  }

  /**
   * Return the content of a file, or undefined if there is none.
   *
   * @throws StoreError if it is damaged.
   */
  read(name: string): Uint8Array<ArrayBuffer> | undefined {
    const query = 'SELECT data, checksum FROM file WHERE name = ?';
    const [row] = translated(PLACE, () => this.#connection.selectArrays(query, [name]));
    if (row === undefined) {
      return undefined;
    }
    const [data, stored] = row;
    if (!(data instanceof Uint8Array) || checksum(data) !== stored) {
      throw damaged(`the saved ${name}`, 'its checksum is that of other content');
    }
    return new Uint8Array(data);
  }

  /**
   * Replace the content of a file.
   *
   * @throws StoreError if the storage is full; the old content stays.
   */
  write(name: string, data: Uint8Array): void {
    translated(PLACE, () => {
      this.#connection.exec({
        sql: 'INSERT OR REPLACE INTO file VALUES (?, ?, ?)',
        bind: [name, data, checksum(data)],
      });
    });
  }

  /** Give a file another name, which replaces the file of this name. */
  rename(name: string, to: string): void {
    translated(PLACE, () => {
      const bind = [to, name];
      this.#connection.exec({ sql: 'UPDATE OR REPLACE file SET name = ? WHERE name = ?', bind });
    });
  }

  /** Close the database. May be called again. */
  close(): void {
    this.#connection.close();
  }
}
