/** A trained model of the tests, and its outputs in both languages. */

import { expect } from 'vitest';
import { python, type Tab } from './browser.js';

/** Address of the model. */
export const MODEL = '/files/image.tflite';
const TOLERANCE = 1e-5;

/** Outputs for the probe: class name → probability. */
export type Outputs = Readonly<Record<string, number>>;

/** Open the model and train it on two classes; returns the outputs for a probe. */
export async function train(tab: Tab): Promise<Outputs> {
  await tab.open(MODEL, { thumbnails: true });
  await tab.page.evaluate(async () => {
    for (let seed = 0; seed < 6; seed += 1) {
      await window.model.addSample(window.photo([190, 60, 60], seed), 'röt', { augment: 1 });
      await window.model.addSample(window.photo([60, 60, 190], seed), 'blue', {
        heldOut: seed === 5,
      });
    }
    await window.model.fit({ epochs: 20 }).history;
    await window.model.addSample(window.photo([60, 190, 60], 0), 'green');
  });
  return predict(tab);
}

/** Return the outputs for an array, class name → probability. */
export function predict(tab: Tab): Promise<Outputs> {
  return tab.page.evaluate(async () => {
    const probe = Float32Array.from({ length: 1152 }, (_, i) => Math.sin(i));
    return Object.fromEntries(await window.model.predictValues(probe));
  });
}

/** Start of Python programs: `outputs(model)` returns the outputs for the probe. */
export const PYTHON_PROBE = `
import json, sys
import numpy as np
from sartor.runtime import PersonalModel
def outputs(model):
    probe = np.sin(np.arange(1152)).astype(np.float32).reshape(1, 24, 16, 3)
    return model.predict_values(probe)
`;

/** Expect the same classes with the same outputs. */
export function expectSame(actual: Outputs, expected: Outputs, tolerance = TOLERANCE): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [label, value] of Object.entries(expected)) {
    expect(Math.abs((actual[label] ?? Number.NaN) - value)).toBeLessThan(tolerance);
  }
}

let pythonOutputs: Outputs | undefined;

/**
 * Train in Python, and write `python.safetensors` and `python.sartor`, unless that is done.
 *
 * @returns the outputs for the probe.
 */
export function pythonFiles(tab: Tab): Outputs {
  pythonOutputs ??= JSON.parse(
    python(
      `${PYTHON_PROBE}
with PersonalModel(sys.argv[1] + "/image.tflite", thumbnails=True) as model:
    random = np.random.default_rng(0)
    for i in range(5):
        for label, level in (("hat", -0.5), ("scärf", 0.5)):
            noise = random.normal(level, 0.3, (1, 24, 16, 3)).astype(np.float32)
            model.add_sample(noise, label, held_out=i == 4)
    model.fit(epochs=15)
    model.save(sys.argv[1] + "/python.safetensors")
    model.export_project(sys.argv[1] + "/python.sartor")
    print(json.dumps(outputs(model)))`,
      tab.site.folder,
    ),
  ) as Outputs;
  return pythonOutputs;
}
