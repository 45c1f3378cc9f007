/** The bases: those of the site, and the choice of one. */

import { PersonalModel } from 'sartor';
import type { OpenedBases } from './opened_bases.js';

/** A personalizable file of the site, as `bases/bases.json` lists it. */
export interface ListedBase {
  /** URL, relative to the folder `bases`. */
  readonly file: string;
  readonly name: string;
  /** One sentence: speed and accuracy. */
  readonly description: string;
}

/** A base that can be opened. */
export interface Base {
  /** Key of the choice, which no other base has. */
  readonly key: string;
  readonly name: string;
  /** URL or content of the personalizable file. */
  readonly source: string | File;
  /** Name of the storage; undefined for that of the base. */
  readonly storage: string | undefined;
}

const FOLDER = 'bases/';
const CHOICE = 'sartor-base'; // the key of the last choice

/** Return the bases of the site, the default one first; none if the list is missing. */
export async function listBases(): Promise<readonly ListedBase[]> {
  try {
    const response = await fetch(`${FOLDER}bases.json`);
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}

/** Return a base of the site. */
export function listedBase({ file, name }: ListedBase): Base {
  const [key] = file.split('?') as [string]; // without its version
  return { key, name, source: `${FOLDER}${file}`, storage: undefined };
}

/** Return the base that was chosen last, or the default one; undefined if there is none. */
export async function chosenBase(
  listed: readonly ListedBase[],
  opened: OpenedBases,
): Promise<Base | undefined> {
  const choice = localStorage.getItem(CHOICE);
  const all = listed.map(listedBase);
  const own = opened.list.value.find(({ key }) => key === choice);
  return (own && (await opened.base(own))) ?? all.find(({ key }) => key === choice) ?? all[0];
}

/** Open the model of a base, with its samples in this browser. */
export function openModel({ source, storage }: Base): Promise<PersonalModel> {
  return PersonalModel.open(source, {
    name: storage,
    runtime: RUNTIME,
    threads: crossOriginIsolated && navigator.hardwareConcurrency > 1,
    thumbnails: true,
    photos: true,
  });
}

/** Choose a base for the next visit, and remember its storage, which another tab may ask for. */
export function rememberChoice({ key }: Base, storage: string): void {
  localStorage.setItem(CHOICE, key);
  localStorage.setItem(storageKey(key), storage);
}

/** Return the name of the storage of a base, or an empty one if it was never open. */
export function storageOf({ key, storage }: Base): string {
  return storage ?? localStorage.getItem(storageKey(key)) ?? '';
}

function storageKey(key: string): string {
  return `sartor-storage/${key}`;
}
