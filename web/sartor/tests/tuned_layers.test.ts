/** A file with tuned layers in a real browser: the same trainings as in Python. */

import { beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../contract/tests/browser.js';
import { python, type Tab, useTab } from './browser.js';
import { expectSame, type Outputs } from './probe.js';

type Depth = 'auto' | 'head' | 'layers';

/** What `tuned_layers.py` prints. */
interface Reference {
  readonly samples: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly probes: readonly (readonly number[])[];
  readonly trainings: Readonly<
    Record<
      Depth,
      {
        readonly imprinted: readonly Outputs[];
        readonly outputs: readonly Outputs[];
        readonly in_distribution: readonly boolean[];
        readonly depth: string;
        readonly accuracy: number;
        readonly steps: number;
      }
    >
  >;
}

const MODEL = '/files/tuned.tflite';
const RUN = 'import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name="__main__")';

const tab = useTab();
let reference: Reference;

beforeAll(() => {
  const script = repository('tests/exchange/tuned_layers.py');
  reference = JSON.parse(python(RUN, script, tab.site.folder));
});

describe('a file with tuned layers', () => {
  it.each(['head', 'layers', 'auto'] as const)('trains like Python, depth %s', async (depth) => {
    const expected = reference.trainings[depth];
    await open(tab);
    // class means are nearly equal, so the temperature is low, and enlarges rounding errors
    expectAll(await predict(tab), expected.imprinted, 1e-4);
    const history = await tab.page.evaluate(
      (each) => window.model.fit({ depth: each }).history,
      depth,
    );
    expect(history).toMatchObject({
      depth: expected.depth,
      steps: expected.steps,
      expectedAccuracy: expected.accuracy,
    });
    const outputs = await predict(tab);
    expectAll(outputs, expected.outputs);
    expect(await inDistribution(tab)).toEqual(expected.in_distribution);
    await tab.page.evaluate(() => window.model.close());
    await tab.open(MODEL); // saved, and restored
    expectAll(await predict(tab), outputs);
  });

  it('imprints a new class behind the trained layers', async () => {
    await open(tab);
    const { outputs, isInDistribution } = await tab.page.evaluate(async () => {
      await window.model.fit({ depth: 'layers' }).history;
      const added = Float32Array.from({ length: 90 }, (_, i) => 3 * Math.sin(i));
      await window.model.addSample(added, 'd');
      const predictions = await window.model.predict(added);
      return {
        outputs: Object.fromEntries(await window.model.predictValues(added)),
        isInDistribution: predictions.inDistribution,
      };
    });
    expect(isInDistribution).toBe(true);
    expect(outputs.d).toBeGreaterThan(0.5);
  });

  it('loads a checkpoint of Python', async () => {
    await tab.open(MODEL);
    const notes = await tab.page.evaluate(async () =>
      window.model.loadCheckpoint(await window.content('/files/tuned_layers.safetensors')),
    );
    expect(notes).toEqual([]);
    expectAll(await predict(tab), reference.trainings.layers.outputs);
  });
});

describe('a file without tuned layers', () => {
  it('refuses the depth layers', async () => {
    await tab.open('/files/image.tflite');
    const message = await tab.page.evaluate(() =>
      window.model.fit({ depth: 'layers' }).history.then(String, String),
    );
    expect(message).toContain("depth must be 'auto' or 'head'; got 'layers'");
    expect(message).toContain('--fine-tune');
  });
});

/** Open the model, and add all samples but the last one of each class. */
async function open(target: Tab): Promise<void> {
  await target.open(MODEL);
  await target.page.evaluate(async (samples) => {
    for (const [name, rows] of Object.entries(samples)) {
      for (const row of rows.slice(0, -1)) {
        await window.model.addSample(Float32Array.from(row), name);
      }
    }
  }, reference.samples);
}

/** Return the outputs for the probes. */
function predict(target: Tab): Promise<Outputs[]> {
  return target.page.evaluate(async (rows) => {
    const outputs: Outputs[] = [];
    for (const row of rows) {
      const values = await window.model.predictValues(Float32Array.from(row));
      outputs.push(Object.fromEntries(values));
    }
    return outputs;
  }, reference.probes);
}

/** Return whether each probe is in-distribution. */
function inDistribution(target: Tab): Promise<(boolean | undefined)[]> {
  return target.page.evaluate(async (rows) => {
    const results: (boolean | undefined)[] = [];
    for (const row of rows) {
      const predictions = await window.model.predict(Float32Array.from(row));
      results.push(predictions.inDistribution);
    }
    return results;
  }, reference.probes);
}

function expectAll(
  actual: readonly Outputs[],
  expected: readonly Outputs[],
  tolerance?: number,
): void {
  for (const [i, outputs] of actual.entries()) {
    expectSame(outputs, expected[i] ?? {}, tolerance);
  }
}
