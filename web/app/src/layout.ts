/** The order and the colors of the classes on the screen, which stay when classes change. */

import type { ClassSummary } from 'sartor';

/** The place of a class. */
export interface Place {
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
    arranged.push({ name, color: freeColor(arranged) });
  }
  return arranged;
}

/** Return the places after a class was renamed. */
export function renamePlace(places: readonly Place[], label: string, name: string): Place[] {
  return places.map((place) => (place.name === label ? { ...place, name } : place));
}

/** Return the places in a text, or none if it is not one. */
export function readPlaces(text: string | undefined): Place[] {
  try {
    const places: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(places) ? places.filter(isPlace) : [];
  } catch {
    return [];
  }
}

function isPlace(value: unknown): value is Place {
  const { name, color } = (value ?? {}) as Partial<Place>;
  return typeof name === 'string' && Number.isInteger(color) && Number(color) >= 0;
}

function freeColor(places: readonly Place[]): number {
  const uses = Array.from({ length: COLORS }, () => 0);
  for (const { color } of places) {
    uses[color % COLORS] = (uses[color % COLORS] ?? 0) + 1;
  }
  return uses.indexOf(Math.min(...uses));
}
