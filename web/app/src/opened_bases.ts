/** The bases that the user has opened from files: the app keeps them, so that it can go back. */

import { signal } from '@preact/signals';
import { PersonalModel } from 'sartor';
import type { Base } from './bases.js';

/** A base in the list. */
export interface OpenedBase {
  /** See `Base`; the URL in the cache. */
  readonly key: string;
  /** Name of the file that the user opened. */
  readonly name: string;
  readonly time: Date;
}

const CACHE = 'sartor-opened-bases';
const FOLDER = 'bases/opened/';

/** The opened bases, in a cache of the browser. */
export class OpenedBases {
  /** The bases, the last one first. */
  readonly list = signal<readonly OpenedBase[]>([]);

  /** Read the list. */
  async load(): Promise<void> {
    const cache = await caches.open(CACHE);
    const bases: OpenedBase[] = [];
    for (const { url } of await cache.keys()) {
      const headers = (await cache.match(url))?.headers ?? new Headers();
      const name = decodeURIComponent(headers.get('X-Name') ?? 'model.tflite');
      const time = new Date(Number(headers.get('X-Time')));
      bases.push({ key: `${FOLDER}${url.split('/').at(-1)}`, name, time });
    }
    this.list.value = bases.sort((a, b) => b.time.getTime() - a.time.getTime());
  }

  /** Return a base of the list; undefined if the browser has deleted it. */
  async base({ key, name }: OpenedBase): Promise<Base | undefined> {
    const response = await (await caches.open(CACHE)).match(key);
    if (response === undefined) {
      return undefined;
    }
    const source = new File([await response.blob()], name);
    return { key, name, source, storage: storageOf(key) };
  }

  /** Keep a base that is open; nothing happens if it is one of the site. */
  async keep({ key, name, source }: Base): Promise<void> {
    if (source instanceof File && !this.list.value.some((each) => each.key === key)) {
      const headers = { 'X-Name': encodeURIComponent(name), 'X-Time': String(Date.now()) };
      await (await caches.open(CACHE)).put(key, new Response(source, { headers }));
      await this.load();
    }
  }

  /**
   * Delete a base with its samples.
   *
   * @throws StoreError if a tab has it open; nothing is changed.
   */
  async remove({ key }: Pick<OpenedBase, 'key'>): Promise<void> {
    await PersonalModel.deleteStorage(storageOf(key));
    await (await caches.open(CACHE)).delete(key);
    await this.load();
  }
}

/**
 * Return the base in a file, which is not in the list yet.
 *
 * @param content - personalizable file.
 * @param name - name of the file that the user chose.
 */
export async function baseOfFile(content: Blob, name: string): Promise<Base> {
  const digest = await crypto.subtle.digest('SHA-256', await content.arrayBuffer());
  const bytes = [...new Uint8Array(digest).subarray(0, 8)];
  const key = FOLDER + bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { key, name, source: new File([content], name), storage: storageOf(key) };
}

function storageOf(key: string): string {
  return `file-${key.slice(FOLDER.length)}`;
}
