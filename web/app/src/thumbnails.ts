/** The thumbnails of the last samples of each class. */

import { signal } from '@preact/signals';
import type { PersonalModel } from 'sartor';

/** A thumbnail on the screen. */
export interface ThumbnailUrl {
  /** Number of the sample. */
  readonly id: number;
  /** URL of its image. */
  readonly url: string;
  readonly heldOut: boolean;
}

/** Number of thumbnails that a class card shows. */
const MOST = 12;

/** Class name → thumbnails of its last samples, the newest first. */
export class Thumbnails {
  readonly byClass = signal<ReadonlyMap<string, readonly ThumbnailUrl[]>>(new Map());

  /** Load the thumbnails of some classes from a model, instead of the present ones. */
  async load(model: PersonalModel, labels: readonly string[]): Promise<void> {
    const isHeldOut = new Map((await model.samples()).map(({ id, heldOut }) => [id, heldOut]));
    const loaded = new Map<string, readonly ThumbnailUrl[]>();
    for (const label of labels) {
      const thumbnails = await model.thumbnails(label, MOST);
      const urls = thumbnails.map(({ id, image }) => {
        return { id, url: URL.createObjectURL(image), heldOut: isHeldOut.get(id) ?? false };
      });
      loaded.set(label, urls.reverse());
    }
    for (const thumbnails of this.byClass.value.values()) {
      release(thumbnails);
    }
    this.byClass.value = loaded;
  }

  /** Add the image of a new sample. */
  add(label: string, { id, image, heldOut }: { id: number; image: Blob; heldOut: boolean }): void {
    const added = { id, url: URL.createObjectURL(image), heldOut };
    const all = [added, ...(this.byClass.value.get(label) ?? [])];
    release(all.slice(MOST));
    this.#set(label, all.slice(0, MOST));
  }

  remove(label: string, ids: readonly number[]): void {
    const all = this.byClass.value.get(label) ?? [];
    release(all.filter(({ id }) => ids.includes(id)));
    this.#set(
      label,
      all.filter(({ id }) => !ids.includes(id)),
    );
  }

  rename(label: string, name: string): void {
    const all = new Map(this.byClass.value);
    all.set(name, all.get(label) ?? []);
    all.delete(label);
    this.byClass.value = all;
  }

  removeClass(label: string): void {
    release(this.byClass.value.get(label) ?? []);
    this.#set(label, []);
  }

  #set(label: string, thumbnails: readonly ThumbnailUrl[]): void {
    this.byClass.value = new Map(this.byClass.value).set(label, thumbnails);
  }
}

function release(thumbnails: readonly ThumbnailUrl[]): void {
  for (const { url } of thumbnails) {
    URL.revokeObjectURL(url);
  }
}
