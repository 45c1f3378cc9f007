/** The bases: those of the site, and a file of the user. */

import { PersonalModel } from 'sartor';

/** A personalizable file of the site, as `bases/bases.json` lists it. */
export interface ListedBase {
  /** URL, relative to the folder `bases`. */
  readonly file: string;
  readonly name: string;
  /** One sentence: speed and accuracy. */
  readonly description: string;
}

/** The base that is in use. */
export interface ChosenBase {
  readonly name: string;
  /** URL or content of the personalizable file. */
  readonly source: string | File;
  /** Name of the storage; undefined for that of the base. */
  readonly storage: string | undefined;
}

const FOLDER = 'bases/';
const CACHE = 'sartor-own-base'; // the cache of the user's file
const OWN_FILE = `${FOLDER}own.tflite`; // its key
const CHOICE = 'sartor-base'; // the key of the choice: the URL of a listed base, or OWN_FILE

/** Return the bases of the site, the default one first; none if the list is missing. */
export async function listBases(): Promise<readonly ListedBase[]> {
  try {
    const response = await fetch(`${FOLDER}bases.json`);
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}

/** Return the base that was chosen last, or the default one; undefined if there is none. */
export async function chosenBase(bases: readonly ListedBase[]): Promise<ChosenBase | undefined> {
  const choice = localStorage.getItem(CHOICE);
  const own = choice === OWN_FILE ? await ownBase() : undefined;
  const listed = bases.find(({ file }) => pathOf(file) === choice) ?? bases[0];
  return own ?? (listed && useListed(listed));
}

/** Choose a base of the site. */
export function chooseListed(base: ListedBase): ChosenBase {
  localStorage.setItem(CHOICE, pathOf(base.file));
  return useListed(base);
}

/** Return the user's file as a base, without choosing it. */
export async function useFile(file: File): Promise<ChosenBase> {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  const bytes = [...new Uint8Array(digest).subarray(0, 8)];
  const hash = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { name: file.name, source: file, storage: `file-${hash}` };
}

/** Store a file of the user, and choose it. */
export async function chooseFile(file: File): Promise<void> {
  const cache = await caches.open(CACHE);
  const headers = { 'X-Name': encodeURIComponent(file.name) };
  await cache.put(OWN_FILE, new Response(file, { headers }));
  localStorage.setItem(CHOICE, OWN_FILE);
}

/** Open the model of a base, with its samples in this browser. */
export function openModel({ source, storage }: ChosenBase): Promise<PersonalModel> {
  return PersonalModel.open(source, {
    name: storage,
    runtime: RUNTIME,
    threads: crossOriginIsolated && navigator.hardwareConcurrency > 1,
    thumbnails: true,
    photos: true,
  });
}

/** Remember the name of the storage of a base, so that another tab can be asked to leave it. */
export function rememberStorage(base: ChosenBase, name: string): void {
  localStorage.setItem(nameKey(base), name);
}

/** Return the name of the storage of a base, or an empty one if it was never open. */
export function storageOf(base: ChosenBase): string {
  return base.storage ?? localStorage.getItem(nameKey(base)) ?? '';
}

async function ownBase(): Promise<ChosenBase | undefined> {
  const response = await (await caches.open(CACHE)).match(OWN_FILE);
  if (response === undefined) {
    return undefined;
  }
  const name = decodeURIComponent(response.headers.get('X-Name') ?? 'model.tflite');
  return useFile(new File([await response.blob()], name));
}

function useListed({ file, name }: ListedBase): ChosenBase {
  return { name, source: `${FOLDER}${file}`, storage: undefined };
}

function pathOf(file: string): string {
  return file.split('?')[0] as string;
}

function nameKey({ name }: ChosenBase): string {
  return `sartor-storage/${name}`;
}
