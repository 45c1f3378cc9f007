/** Random damage of files: every reader throws an error of Sartor, or returns the same content. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../contract/tests/browser.js';
import type { Bytes } from '../src/contract/bytes.js';
import { SartorError } from '../src/errors.js';
import { checkModelFile, type ModelFile } from '../src/litert/model_file.js';
import { RandomNumbers } from '../src/random_numbers.js';
import { adapt } from '../src/saved/adapt.js';
import { readCheckpoint, writeCheckpoint } from '../src/saved/checkpoint.js';
import { unpackProject } from '../src/saved/project.js';
import { openCopy } from '../src/store/sqlite.js';
import { SampleStore } from '../src/store/store.js';
import { python } from './browser.js';

const DAMAGES = 300; // of each file

let folder: string;
let file: ModelFile;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sartor-damage-'));
  execFileSync('python', [repository('web/sartor/tests/make_models.py'), folder]);
  python(
    `
import sys
import numpy as np
from sartor.runtime import PersonalModel
with PersonalModel(sys.argv[1] + "/image.tflite", thumbnails=True) as model:
    random = np.random.default_rng(0)
    for i in range(8):
        model.add_sample(random.normal(0, 0.3, (1, 24, 16, 3)).astype(np.float32), "ab"[i % 2])
    model.fit(epochs=3)
    model.save(sys.argv[1] + "/checkpoint.safetensors")
    model.export_project(sys.argv[1] + "/project.sartor")`,
    folder,
  );
  file = await checkModelFile(read('image.tflite'), 'model');
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function read(name: string): Bytes {
  return new Uint8Array(readFileSync(join(folder, name)));
}

/** Return a copy of a file with a few other bytes, or without its end or a part. */
function damaged(content: Bytes, seed: number): Bytes {
  const [kind = 0, ...numbers] = new RandomNumbers(seed).draw(9);
  const place = (number: number) => number % content.length;
  if (kind % 4 === 0) {
    return content.slice(0, place(numbers[0] ?? 0));
  }
  if (kind % 4 === 1) {
    const start = place(numbers[0] ?? 0);
    const length = 1 + ((numbers[1] ?? 0) % 64);
    return Uint8Array.from([...content.subarray(0, start), ...content.subarray(start + length)]);
  }
  const copy = content.slice();
  for (const number of numbers.slice(0, 1 + (kind % 3))) {
    // most structure is in the first and last bytes
    const at = number % 3 === 0 ? number % Math.min(2000, copy.length) : place(number);
    copy[number % 3 === 1 ? copy.length - 1 - (at % 2000) : at] = number >> 8;
  }
  return copy;
}

/** Read damaged copies; returns the number of errors. */
async function readAll(content: Bytes, reader: (bytes: Bytes) => Promise<unknown>) {
  const whole = JSON.stringify(await reader(content));
  let errors = 0;
  for (let seed = 0; seed < DAMAGES; seed += 1) {
    const copy = damaged(content, seed);
    try {
      expect(JSON.stringify(await reader(copy))).toBe(whole);
    } catch (error) {
      if (!(error instanceof SartorError)) {
        throw new Error(`seed ${seed}: ${(error as Error).stack}`);
      }
      errors += 1;
    }
  }
  return errors;
}

describe('random damage', () => {
  it('of a model', async () => {
    const errors = await readAll(read('image.tflite'), async (bytes) => {
      return (await checkModelFile(bytes, 'model')).manifest;
    });
    expect(errors).toBeGreaterThan(DAMAGES * 0.9);
  });

  it('of a checkpoint', async () => {
    // The digest covers tensors and classes, and not the other fields of the header.
    const zeros = file.manifest.variables.map(({ name, shape }) => {
      return [name, new Float32Array(shape.reduce((a, b) => a * b, 1))] as const;
    });
    const errors = await readAll(read('checkpoint.safetensors'), async (bytes) => {
      const checkpoint = await readCheckpoint(bytes, 'checkpoint');
      const initial = Object.fromEntries(zeros);
      const { classes, classKeys } = adapt(checkpoint, file.manifest, initial, 'checkpoint');
      return [classes, classKeys, [...checkpoint.variables], [...checkpoint.ood]];
    });
    expect(errors).toBeGreaterThan(DAMAGES * 0.9);
  });

  it('of a project', async () => {
    const errors = await readAll(read('project.sartor'), async (bytes) => {
      const { model, checkpoint, samples } = await unpackProject(bytes);
      return [model.length, checkpoint.length, samples.length];
    });
    expect(errors).toBeGreaterThan(DAMAGES * 0.9);
  });

  it('of a store', async () => {
    const { samples } = await unpackProject(read('project.sartor'));
    const errors = await readAll(samples as Bytes, async (bytes) => {
      const connection = await openCopy(bytes, 'store');
      const store = await SampleStore.open(connection, 'store', file.manifest, undefined, false);
      try {
        store.check();
        return [store.samples(), [...store.counts()], [...store.classKeys().values()]];
      } finally {
        store.close();
      }
    });
    expect(errors).toBeGreaterThan(DAMAGES * 0.2); // many bytes of a page are not in use
  });
});

it('a checkpoint that is read and written again has the same bytes in its tensors', async () => {
  const content = read('checkpoint.safetensors');
  const checkpoint = await readCheckpoint(content, 'checkpoint');
  const again = await readCheckpoint(await writeCheckpoint(checkpoint), 'checkpoint');
  expect(again).toEqual(checkpoint);
});
