/** The change of the base: the samples move along, if the other base can take them. */

import type { Base } from './bases.js';
import type { Project, Sample } from './project.js';

/**
 * Open a base, and add the photos of the present samples to it, if it has no classes.
 *
 * @param project - project whose base changes.
 * @param base - base to open.
 * @param onProgress - called after each photo.
 * @returns sentence for the user.
 * @throws SartorError if the base cannot be opened; nothing is changed.
 */
export async function moveTo(
  project: Project,
  base: Base,
  onProgress: (done: number, total: number) => void,
): Promise<string> {
  const { places } = project;
  const former = project.base.value;
  const samples = project.state.value === 'open' ? await samplesOf(project) : [];
  const isComplete = await project.open(base);
  const success = isComplete ? `${base.name} is open.` : incomplete(base.name);
  if (samples.length === 0 || former?.key === base.key) {
    return success;
  }
  const reason = refusal(project, new Set(samples.map(({ label }) => label)).size);
  if (reason !== undefined) {
    return `${base.name} ${reason}. Your samples stay with ${former?.name}: choose it in the menu to go back.`;
  }
  await project.fill(samples, places, (done) => onProgress(done, samples.length));
  return success;
}

/** Return the sentence about saved weights that do not fit their model. */
export function incomplete(name: string): string {
  return `${name} is open, but some of its saved weights cannot be read. Train again.`;
}

/** Return why the open model cannot take the samples of other classes; undefined if it can. */
function refusal(project: Project, classes: number): string | undefined {
  if (project.classes.value.some(({ index }) => index !== undefined)) {
    return 'is open with its own classes';
  }
  const { capacity } = project.model;
  return classes > capacity
    ? `has room for ${capacity} classes, and your samples have ${classes}`
    : undefined;
}

/** Return the photos of all samples with their classes. */
async function samplesOf({ model }: Project): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const { id, targets, heldOut } of await model.samples()) {
    const photo = await model.photo(id);
    const label = Object.keys(targets)[0];
    if (photo !== undefined && label !== undefined) {
      samples.push({ photo, label, heldOut });
    }
  }
  return samples;
}
