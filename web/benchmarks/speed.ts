/** The time of a frame and of a training step: the library, and LiteRT.js alone. */

import { PersonalModel } from '../sartor/src/index.js';
import { LiteRtAlone } from './litert_alone.js';
import { byTurns, timeOf } from './turns.js';

/** Options of the benchmark. */
export interface SpeedOptions {
  readonly threads: boolean;
  readonly rounds: number;
  /** Name → URL of a personalizable file, whose `infer` LiteRT.js runs alone. */
  readonly files: Readonly<Record<string, string>>;
  /** URLs of the file that the library opens, and of a plain classifier with the same base. */
  readonly library?: { readonly file: string; readonly classifier: string };
}

const FRAME = 480; // pixels, as in the camera app
const CALLS = 5; // of each turn, for frames
const STEPS = 400; // of each turn, for training steps
const SAMPLES = 320;

/** Return name → times in ms, and whether there is a WebGPU adapter. */
export async function speed({ threads, rounds, files, library }: SpeedOptions) {
  const gpu = (navigator as { gpu?: { requestAdapter(): Promise<unknown> } }).gpu;
  const hasWebGpu = Boolean(await gpu?.requestAdapter());
  const alone = new LiteRtAlone(threads);
  const candidates: Record<string, () => Promise<number>> = {};
  for (const [name, url] of Object.entries(files)) {
    await alone.open(url);
    candidates[name] = () => alone.time(url, 'infer', CALLS);
  }
  if (library !== undefined) {
    Object.assign(candidates, await withLibrary(alone, library.file, library.classifier, threads));
  }
  const times = await byTurns(candidates, rounds);
  alone.close();
  return { times, hasWebGpu, isIsolated: crossOriginIsolated };
}

async function withLibrary(alone: LiteRtAlone, file: string, plain: string, threads: boolean) {
  await alone.open(plain);
  await alone.open(file);
  const model = await PersonalModel.open(file, { threads, storage: 'memory' });
  const side = model.manifest.inputs[0]?.shape[1] as number;
  const pixels = new Uint8Array(side * side * 3).map((_, i) => (i * 7919) % 251);
  const canvas = new OffscreenCanvas(FRAME, FRAME);
  canvas.getContext('2d')?.putImageData(noise(FRAME), 0, 0);
  for (let i = 0; i < SAMPLES; i += 1) {
    const features = model.manifest.features.map(({ shape }) => row(shape[0] as number, i));
    await model.addSample(new Uint8Array(pixels).fill(i % 256, 0, 9 + i), `class ${i % 10}`, {
      features,
    });
  }
  return {
    'frame: plain': () => alone.time(plain, 'serving_default', CALLS),
    'frame: file': () => alone.time(file, 'infer', CALLS),
    'frame: array': () => timeOf(() => model.predict(pixels), CALLS),
    'frame: canvas': () => timeOf(() => model.predict(canvas), CALLS),
    'step: file': () => alone.time(file, 'train', STEPS),
    'step: library': () => stepTime(model),
  };
}

/** Return the time of a step of `fit` in ms, from the end of the first epoch to the last one. */
async function stepTime(model: PersonalModel): Promise<number> {
  const ends: number[] = [];
  const epochs = STEPS / 10; // of ten batches of 32
  const job = model.fit({ epochs }, { onEpoch: () => ends.push(performance.now()) });
  const { steps } = await job.history;
  const [first, last] = [ends[0] as number, ends.at(-1) as number];
  return (last - first) / ((steps * (ends.length - 1)) / ends.length);
}

function noise(size: number): ImageData {
  const image = new ImageData(size, size);
  image.data.forEach((_, i) => {
    image.data[i] = i % 4 === 3 ? 255 : (i * 7919) % 251;
  });
  return image;
}

function row(length: number, seed: number): Float32Array {
  return new Float32Array(length).map((_, i) => ((i * 31 + seed * (7 + (seed % 10))) % 97) / 97);
}
