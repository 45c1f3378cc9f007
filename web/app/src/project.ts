/** The project: the open model, its classes with their samples, and its files. */

import { computed, signal } from '@preact/signals';
import { type ClassSummary, PersonalModel, StoreError } from 'sartor';
import { type Base, openModel, rememberChoice, storageOf } from './bases.js';
import { explain } from './explanations.js';
import { arrange, newName, type Place, readPlaces, renamePlace, writePlaces } from './layout.js';
import { OpenedBases } from './opened_bases.js';
import { saveResult } from './saved_results.js';
import { Thumbnails } from './thumbnails.js';

/** A class on the screen. */
export type ClassOfProject = ClassSummary & Place;

/** A sample that moves from one base to another. */
export interface Sample {
  readonly photo: Blob;
  readonly label: string;
  readonly heldOut: boolean;
}

/** The states of the project. */
export type ProjectState = 'opening' | 'open' | 'elsewhere' | 'damaged' | 'failed';

const FIRST_CLASSES = 4;
const NAME = /^Class \d+$/; // of classes that the user has not named
const LAYOUT = 'camera/layout';
const CHANNEL = 'sartor-camera';

/** The model of the app, and all changes of its classes. */
export class Project {
  readonly state = signal<ProjectState>('opening');
  /** Why the model was not opened. */
  readonly failure = signal('');
  readonly classes = signal<readonly ClassOfProject[]>([]);
  /** Number of training samples and of test samples. */
  readonly counts = computed(() => {
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const test = sum(this.classes.value.map(({ heldOut }) => heldOut));
    return { training: sum(this.classes.value.map(({ samples }) => samples)) - test, test };
  });
  readonly base = signal<Base | undefined>(undefined);
  /** The bases that the user has opened from files. */
  readonly opened = new OpenedBases();
  /** Number of times that other classes and samples have replaced all former ones. */
  readonly replacements = signal(0);
  readonly thumbnails = new Thumbnails();
  readonly capacity = signal(0);
  #model: PersonalModel | undefined;
  #places: readonly Place[] = [];
  readonly #channel = new BroadcastChannel(CHANNEL);

  constructor() {
    this.#channel.onmessage = ({ data }) => {
      if (this.state.value === 'open' && data === this.#model?.name) {
        void this.leave();
      }
    };
  }

  /** The open model; throws an error if there is none. */
  get model(): PersonalModel {
    if (this.#model === undefined) {
      throw new Error('no model is open yet');
    }
    return this.#model;
  }

  /**
   * Open a base with its samples, instead of the present one.
   *
   * @returns whether all of its saved weights were loaded.
   * @throws SartorError if that fails: the former model is open again then, if there was one.
   */
  async open(base: Base): Promise<boolean> {
    const former = this.base.value;
    this.state.value = 'opening'; // first, so that no frame is predicted meanwhile
    await this.#close();
    try {
      const model = await openModel(base);
      this.#model = model;
      await this.opened.keep(base);
      rememberChoice(base, model.name);
      this.base.value = base;
      await this.#use(model);
      return model.notes.length === 0;
    } catch (error) {
      await this.#close();
      await this.#goBack(base, former, error);
      throw error;
    }
  }

  /** Open the former base again after a failure, or show the failure if there was none. */
  async #goBack(base: Base, former: Base | undefined, error: unknown): Promise<void> {
    if (former !== undefined && former.key !== base.key) {
      await this.open(former);
      return;
    }
    this.base.value = base;
    this.fail(explain(error), stateAfter(error));
  }

  /** Show why no model is open. */
  fail(reason: string, state: ProjectState = 'failed'): void {
    this.state.value = state;
    this.failure.value = reason;
  }

  /** Open the present base again, after that has failed; `state` says whether it worked. */
  async retry(): Promise<void> {
    await this.open(this.base.value as Base).catch(console.warn);
  }

  /** Delete the samples of the present base, which cannot be read, and open it. */
  async deleteDamaged(): Promise<void> {
    await PersonalModel.deleteStorage(storageOf(this.base.value as Base));
    await this.retry();
  }

  /** Open the model of another tab in this one: the other tab leaves it. */
  async takeOver(): Promise<void> {
    const base = this.base.value;
    if (base !== undefined) {
      this.#channel.postMessage(storageOf(base));
      await this.retry();
    }
  }

  /** Close the model, because another tab uses it. */
  async leave(): Promise<void> {
    this.state.value = 'elsewhere';
    await this.#close();
  }

  /** Read the classes from the model. */
  async refresh(): Promise<void> {
    const classes = await this.model.classes();
    const places = arrange(this.#places, classes);
    if (writePlaces(places) !== writePlaces(this.#places)) {
      await this.#storePlaces(places);
    }
    this.classes.value = places.map((place) => {
      const summary = classes.find(({ name }) => name === place.name) as ClassSummary;
      return { ...summary, ...place };
    });
  }

  /** Add a sample; see `PersonalModel.addSample`. */
  async addSample(
    image: Blob,
    label: string,
    heldOut: boolean,
    features?: readonly Float32Array[],
  ): Promise<void> {
    const before = this.#countOf(label);
    const id = await this.model.addSample(image, label, { heldOut, features });
    await this.refresh();
    if (this.#countOf(label) > before) {
      this.thumbnails.add(label, { id, image, heldOut });
    }
  }

  /** Add a class, and return its name. */
  async addClass(name?: string): Promise<string> {
    const added = name ?? newName(this.#places);
    await this.model.addClass(added);
    await this.refresh();
    return added;
  }

  async renameClass(label: string, name: string): Promise<void> {
    await this.model.renameClass(label, name);
    await this.#storePlaces(renamePlace(this.#places, label, name));
    this.thumbnails.rename(label, name);
    await this.refresh();
  }

  async removeClass(label: string): Promise<void> {
    await this.model.removeClass(label);
    this.thumbnails.removeClass(label);
    await this.refresh();
  }

  /** Remove the classes without name and samples, because folders of photos bring their own. */
  async removePlaceholders(): Promise<void> {
    for (const { name, samples } of this.classes.value) {
      if (samples === 0 && NAME.test(name)) {
        await this.model.removeClass(name);
      }
    }
    await this.refresh();
  }

  /** Delete samples; a class that loses its last one stays, without samples. */
  async forget(label: string, ids: readonly number[]): Promise<void> {
    await this.model.forget(...ids);
    this.thumbnails.remove(label, ids);
    const names = (await this.model.classes()).map(({ name }) => name);
    if (!names.includes(label)) {
      await this.model.addClass(label);
    }
    await this.refresh();
  }

  /** Delete all classes and samples, and start with empty classes. */
  async clear(): Promise<void> {
    await this.#removeClasses();
    await saveResult(this.model, undefined);
    await this.#use(this.model);
  }

  /** The places of the classes, in their order. */
  get places(): readonly Place[] {
    return this.#places;
  }

  /**
   * Replace all classes and samples.
   *
   * @param samples - the new samples.
   * @param places - the places of their classes, and of classes without samples.
   * @param onSample - called after each sample.
   */
  async fill(
    samples: readonly Sample[],
    places: readonly Place[],
    onSample: (count: number) => void,
  ): Promise<void> {
    await this.#removeClasses();
    for (const [index, { photo, label, heldOut }] of samples.entries()) {
      await this.model.addSample(photo, label, { heldOut });
      onSample(index + 1);
    }
    const labels = new Set(samples.map(({ label }) => label));
    const others = places.map(({ name }) => name).filter((name) => !labels.has(name));
    for (const name of others.slice(0, this.model.capacity - labels.size)) {
      await this.model.addClass(name);
    }
    await this.#storePlaces(places);
    await this.#use(this.model);
  }

  /** Show the classes and samples of the model again, after it has loaded others. */
  async reload(): Promise<void> {
    await this.#use(this.model);
  }

  async #use(model: PersonalModel): Promise<void> {
    this.#model = model;
    this.capacity.value = model.capacity;
    this.#places = readPlaces((await model.appData(LAYOUT)).get(LAYOUT));
    const isEmpty = (await model.classes()).length === 0;
    for (let i = 0; isEmpty && i < Math.min(FIRST_CLASSES, model.capacity); i += 1) {
      await model.addClass(`Class ${i + 1}`);
    }
    await this.refresh();
    await this.thumbnails.load(
      model,
      this.classes.value.map(({ name }) => name),
    );
    this.replacements.value += 1;
    this.state.value = 'open';
  }

  async #removeClasses(): Promise<void> {
    for (const { name } of this.classes.value) {
      await this.model.removeClass(name);
    }
  }

  async #close(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.close();
  }

  async #storePlaces(places: readonly Place[]): Promise<void> {
    this.#places = places;
    await this.model.setAppData(LAYOUT, writePlaces(places));
  }

  #countOf(label: string): number {
    return this.classes.value.find(({ name }) => name === label)?.samples ?? 0;
  }
}

/** Return the state after a base could not be opened. */
function stateAfter(error: unknown): ProjectState {
  if (!(error instanceof StoreError)) {
    return 'failed';
  }
  if (error.code === undefined) {
    return 'damaged';
  }
  return error.code === 'open-elsewhere' ? 'elsewhere' : 'failed';
}
