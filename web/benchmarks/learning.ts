/** From photos to a trained classifier: the library, and the method of Teachable Machine. */

import { PersonalModel } from '../sartor/src/index.js';
import type { Features } from './teachable_machine.js';
import { timeOf } from './turns.js';

/** Options of the benchmark. */
export interface LearningOptions {
  readonly file: string;
  readonly threads: boolean;
  /** Class name → URLs of its photos. */
  readonly train: Readonly<Record<string, readonly string[]>>;
  readonly test: Readonly<Record<string, readonly string[]>>;
  /** Title → classes of a task. */
  readonly tasks: Readonly<Record<string, readonly string[]>>;
  /** Number of photos of each class to learn from. */
  readonly shots: number;
  /** Number of draws of these photos. */
  readonly draws: number;
  readonly backends: readonly string[];
}

interface Photo {
  readonly content: Blob;
  readonly label: string;
  readonly features: readonly Float32Array[];
}

interface Trial {
  readonly time: number;
  readonly accuracy: number;
}

/** Return the times in ms and accuracies of each task and candidate, and the time to add photos. */
export async function learning(options: LearningOptions) {
  const { file, threads, shots, draws, tasks, backends } = options;
  const model = await PersonalModel.open(file, { threads, name: 'learning' });
  const [pool, test] = [await embed(model, options.train), await embed(model, options.test)];
  console.info('features are computed');
  const teachable = await import('./teachable_machine.js');
  const trials: Record<string, Record<string, Trial[]>> = {};
  const adding: number[] = [];
  for (const [title, classes] of Object.entries(tasks)) {
    const results: Record<string, Trial[]> = {};
    trials[title] = results;
    for (let draw = 0; draw < draws; draw += 1) {
      const training = classes.flatMap((label) => {
        const photos = pool.filter((photo) => photo.label === label);
        return shuffled(photos, draw).slice(0, shots);
      });
      const others = test.filter(({ label }) => classes.includes(label));
      if (draw < 3) {
        await clear(model);
        adding.push((await timeOf(() => addAll(model, training, false), 1)) / training.length);
      }
      push(results, 'Sartor', await trainSartor(model, training, others));
      console.info(`${title} classes, draw ${draw}`, JSON.stringify(results));
      for (const name of backends) {
        if (await teachable.useBackend(name)) {
          const [a, b] = [asFeatures(training, classes), asFeatures(others, classes)];
          push(results, `TensorFlow.js, ${name}`, await teachable.train(a, b, classes.length));
        }
      }
    }
  }
  await model.close();
  return { trials, adding };
}

async function trainSartor(
  model: PersonalModel,
  training: readonly Photo[],
  test: readonly Photo[],
): Promise<Trial> {
  await clear(model);
  await addAll(model, training, true);
  const time = await timeOf(async () => model.fit().history, 1);
  for (const { content, label, features } of test) {
    await model.addSample(content, label, { features, heldOut: true });
  }
  const { accuracy = Number.NaN } = await model.evaluate();
  return { time, accuracy };
}

async function addAll(model: PersonalModel, photos: readonly Photo[], isKnown: boolean) {
  for (const { content, label, features } of photos) {
    await model.addSample(content, label, isKnown ? { features } : {});
  }
}

async function clear(model: PersonalModel): Promise<void> {
  for (const { name } of await model.classes()) {
    await model.removeClass(name);
  }
}

async function embed(
  model: PersonalModel,
  photos: Readonly<Record<string, readonly string[]>>,
): Promise<Photo[]> {
  const all: Photo[] = [];
  for (const [label, urls] of Object.entries(photos)) {
    for (const url of urls) {
      const content = await (await fetch(url)).blob();
      const { features = [] } = await model.predict(content, { features: true });
      all.push({ content, label, features });
    }
  }
  return all;
}

function asFeatures(photos: readonly Photo[], classes: readonly string[]): Features {
  return {
    rows: photos.map(({ features }) => features[0] as Float32Array),
    labels: photos.map(({ label }) => classes.indexOf(label)),
  };
}

function push(results: Record<string, Trial[]>, name: string, trial: Trial): void {
  results[name] = [...(results[name] ?? []), trial];
}

/** Return the photos in a random order, which depends on the seed only. */
function shuffled(photos: readonly Photo[], seed: number): Photo[] {
  let state = seed * 2654435761 + 12345;
  const keyed = photos.map((photo) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return { photo, key: state };
  });
  return keyed.sort((a, b) => a.key - b.key).map(({ photo }) => photo);
}
