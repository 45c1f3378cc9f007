/** One database of samples: checked, in complete transactions. */

import { STORE_BASE, STORE_ERASE, type Task } from '../../../../contract/generated/contract.js';
import { StoreError } from '../errors.js';
import { checkSchema, createSchema, isNew } from './schema.js';
import { type Connection, damaged, exportDatabase, translated, type Value } from './sqlite.js';

const SETTINGS = [
  'PRAGMA page_size=8192', // of a new file
  'PRAGMA synchronous=EXTRA',
  'PRAGMA secure_delete=ON',
  'PRAGMA trusted_schema=OFF',
  'PRAGMA temp_store=MEMORY',
];

/** A connection to a store. All methods are synchronous: no call comes between two of them. */
export class Database {
  readonly #connection: Connection;
  #depth = 0;
  #eraseIsDue = false;

  private constructor(
    connection: Connection,
    /** Name of the store, for messages. */
    readonly name: string,
    /** Task of the model, which the targets must fit. */
    readonly task: Task,
  ) {
    this.#connection = connection;
  }

  /**
   * Check a database and create its tables, if it is empty. Closes the connection if it fails.
   *
   * @param connection - connection to the file.
   * @param name - name for messages.
   * @param base - fingerprint of the base that computes the features.
   * @param task - task of the model.
   * @param create - whether an empty database becomes a store. Default: true.
   * @throws StoreError if the file is damaged, not a store, of another version, or of another base.
   */
  static async open(
    connection: Connection,
    name: string,
    base: string,
    task: Task,
    create = true,
  ): Promise<Database> {
    const database = new Database(connection, name, task);
    try {
      await database.#prepare(base, create);
    } catch (error) {
      connection.close();
      throw translated(name, () => {
        throw error;
      });
    }
    return database;
  }

  async #prepare(base: string, create: boolean): Promise<void> {
    const connection = this.#connection;
    for (const setting of SETTINGS) {
      connection.exec(setting);
    }
    if (isNew(connection, this.name)) {
      if (!create) {
        throw damaged(this.name, 'it is empty');
      }
      this.writing(() => {
        createSchema(connection);
        this.run('INSERT INTO meta VALUES (?, ?)', STORE_BASE, base);
      });
    } else {
      await checkSchema(connection, this.name);
    }
    const [[stored] = []] = this.rows('SELECT value FROM meta WHERE key = ?', STORE_BASE);
    if (stored !== base) {
      throw new StoreError(
        `${this.name} has features of another base. Open it with a model of that base, or give ` +
          'the model another name.',
        'other-model',
      );
    }
    this.#eraseIsDue = this.rows('SELECT 1 FROM meta WHERE key = ?', STORE_ERASE).length > 0;
    this.#erase();
  }

  /**
   * Run a function in a transaction: all of its changes are written, or none.
   *
   * @throws StoreError if the storage is full or damaged.
   */
  writing<T>(change: () => T): T {
    if (this.#depth > 0) {
      return change();
    }
    this.run('BEGIN IMMEDIATE');
    this.#depth += 1;
    let result: T;
    try {
      result = change();
      this.run('COMMIT');
    } catch (error) {
      this.#rollBack();
      throw error;
    } finally {
      this.#depth -= 1;
    }
    this.#erase();
    return result;
  }

  /** Return all rows of a query. */
  rows(query: string, ...values: Value[]): Value[][] {
    return translated(this.name, () => {
      return this.#connection.selectArrays(query, values) as Value[][];
    });
  }

  /** Run a statement, and return the ID of the last inserted row. */
  run(statement: string, ...values: Value[]): number {
    return translated(this.name, () => {
      this.#connection.exec(statement, values.length > 0 ? { bind: values } : {});
      return Number(this.#connection.selectValue('SELECT last_insert_rowid()'));
    });
  }

  /** Overwrite the deleted bytes after the transaction; call it within `writing`. */
  eraseAfter(): void {
    this.run("INSERT OR REPLACE INTO meta VALUES (?, '')", STORE_ERASE);
    this.#eraseIsDue = true;
  }

  /** Return the content as the bytes of a file. */
  export(): Promise<Uint8Array> {
    return exportDatabase(this.#connection);
  }

  /** Close the file. May be called again. */
  close(): void {
    this.#connection.close();
  }

  #rollBack(): void {
    try {
      this.#connection.exec('ROLLBACK');
    } catch {
      // SQLite has rolled back already, because the storage is full
    }
  }

  /** Overwrite deleted bytes, if that is due; the next change tries again if there is no space. */
  #erase(): void {
    if (!this.#eraseIsDue) {
      return;
    }
    try {
      this.#connection.exec('VACUUM');
      this.#connection.exec({ sql: 'DELETE FROM meta WHERE key = ?', bind: [STORE_ERASE] });
      this.#eraseIsDue = false;
    } catch {
      // the samples are deleted nevertheless
    }
  }
}
