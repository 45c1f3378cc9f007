/** The folder of the storage of a model: its name, its lock, and its deletion. */

import { DataError, StoreError } from '../errors.js';

/** Folder of all storages in the origin private file system. */
export const FOLDER = 'sartor';

const NAME = /^[\w.-]{1,64}$/;
const LOCK_TIMEOUT = 3000; // ms to wait for a tab that is closing, such as before a reload

/**
 * Delete the storage of a model: its samples and its checkpoint.
 *
 * @throws StoreError if a tab uses it, or the browser has no storage.
 */
export async function deleteStorage(name: string): Promise<void> {
  checkStorageName(name);
  checkSupport();
  const release = await lock(name);
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    await folder.removeEntry(name, { recursive: true });
  } catch (error) {
    if ((error as Error).name !== 'NotFoundError') {
      throw new StoreError(`the storage ${name} cannot be deleted: ${error}`);
    }
  } finally {
    release();
  }
}

/** Throw StoreError if the browser has no storage. */
export function checkSupport(): void {
  if (navigator.storage?.getDirectory === undefined || navigator.locks === undefined) {
    throw unavailable('this browser, or a page that is not secure, offers none');
  }
}

/** Return the error of a storage that cannot be used. */
export function unavailable(reason: string): StoreError {
  return new StoreError(
    `samples cannot be stored: ${reason}. Open the page with https or from localhost, not in a ` +
      "private window; or pass storage: 'memory', which loses the samples with the page.",
    'no-storage',
  );
}

/** Throw DataError if the name of a storage is not valid. */
export function checkStorageName(name: string): void {
  if (!NAME.test(name) || /^\.+$/.test(name)) {
    throw new DataError(
      `the name of a storage has 1 to 64 letters, digits, '_', '-' and '.'; got ${JSON.stringify(name)}`,
    );
  }
}

/** Take the lock of a storage, and return a function that releases it. */
export function lock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LOCK_TIMEOUT);
    const hold = () => new Promise<void>((release) => resolve(release));
    navigator.locks.request(`${FOLDER}/${name}`, { signal }, hold).catch(() => {
      reject(
        new StoreError(
          `the model is open in another tab or window (storage ${name}): close it there, and try ` +
            'again',
          'open-elsewhere',
        ),
      );
    });
  });
}
