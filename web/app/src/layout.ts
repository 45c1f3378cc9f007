/** The order and the colors of the classes on the screen, which stay when classes change. */

import type { ClassSummary } from 'sartor';

/** The place of a class. */
export interface Place {
  /** Number of the place on this page, which stays when the class is renamed. */
  readonly id: number;
  readonly name: string;
  /** Number of its color, from 0; see styles/tokens.css. */
  readonly color: number;
}

/** Number of colors. */
export const COLORS = 10;

/** Return the places of present classes: former ones keep order and color, new ones follow. */
export function arrange(
  places: readonly Place[],
  classes: readonly Pick<ClassSummary, 'name'>[],
): Place[] {
  const names = new Set(classes.map(({ name }) => name));
  const arranged = places.filter(({ name }) => names.delete(name));
  for (const name of names) {
    const id =
      1 + Math.max(0, ...places.map((place) => place.id), ...arranged.map((place) => place.id));
    arranged.push({ id, name, color: freeColor(arranged) });
  }
  return arranged;
}

/** Return a name for a new class. */
export function newName(places: readonly Place[]): string {
  const names = new Set(places.map(({ name }) => name));
  let number = names.size + 1;
  while (names.has(`Class ${number}`)) {
    number += 1;
  }
  return `Class ${number}`;
}

/** Return the places after a class was renamed. */
export function renamePlace(places: readonly Place[], label: string, name: string): Place[] {
  return places.map((place) => (place.name === label ? { ...place, name } : place));
}

/** Return the places in a text, which anyone may have written; none if it has none. */
export function readPlaces(text: string | undefined): Place[] {
  let places: unknown;
  try {
    places = JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
  const colors = new Map(
    (Array.isArray(places) ? places : [])
      .filter(isPlace)
      .map(({ name, color }) => [name, color] as const),
  );
  return [...colors].map(([name, color], id) => ({ id, name, color }));
}

/** Return places as a text for the app data. The Android app reads it too. */
export function writePlaces(places: readonly Place[]): string {
  return JSON.stringify(places.map(({ name, color }) => ({ name, color })));
}

function isPlace(value: unknown): value is Pick<Place, 'name' | 'color'> {
  const { name, color } = (value ?? {}) as Partial<Place>;
  return typeof name === 'string' && Number.isSafeInteger(color) && Number(color) >= 0;
}

function freeColor(places: readonly Place[]): number {
  const uses = Array.from({ length: COLORS }, () => 0);
  for (const { color } of places) {
    uses[color % COLORS] = (uses[color % COLORS] ?? 0) + 1;
  }
  return uses.indexOf(Math.min(...uses));
}
