/** What stays: reloads, tabs, damage, a full storage, and the same files in Python. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  download,
  messageOf,
  openModel,
  openSite,
  python,
  readFile,
  type Site,
  writeFile,
} from './browser.js';

const MODEL = '/files/image.tflite';
const TOLERANCE = 1e-5;

let site: Site;
let page: Page;
let name = '';
let tests = 0;

beforeAll(async () => {
  site = await openSite();
});

afterAll(async () => {
  await site?.close();
});

beforeEach(async () => {
  await page?.close();
  page = await site.newPage();
  tests += 1;
  name = `test-${tests}`; // a storage of its own
});

/** Open the model and train it on two classes; returns the outputs for a probe. */
async function train(): Promise<Outputs> {
  await openModel(page, MODEL, { name, thumbnails: true });
  await page.evaluate(async () => {
    for (let seed = 0; seed < 6; seed += 1) {
      await window.model.addSample(window.photo([190, 60, 60], seed), 'röt', { augment: 1 });
      await window.model.addSample(window.photo([60, 60, 190], seed), 'blue', {
        heldOut: seed === 5,
      });
    }
    await window.model.fit({ epochs: 20 }).history;
    await window.model.addSample(window.photo([60, 190, 60], 0), 'green');
  });
  return predict();
}

type Outputs = Readonly<Record<string, number>>;

/** Return the outputs for an array, class name → probability. */
function predict(): Promise<Outputs> {
  return page.evaluate(async () => {
    const probe = Float32Array.from({ length: 1152 }, (_, i) => Math.sin(i));
    return Object.fromEntries(await window.model.predictValues(probe));
  });
}

const PYTHON_PROBE = `
import json, sys
import numpy as np
from sartor.runtime import PersonalModel
def outputs(model):
    probe = np.sin(np.arange(1152)).astype(np.float32).reshape(1, 24, 16, 3)
    return model.predict_values(probe)
`;

function expectSame(actual: Outputs, expected: Outputs): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [label, value] of Object.entries(expected)) {
    expect(Math.abs((actual[label] ?? Number.NaN) - value)).toBeLessThan(TOLERANCE);
  }
}

describe('a reload', () => {
  it('keeps samples, weights, classes, thumbnails and texts', async () => {
    const before = await train();
    const [samples, classes] = await page.evaluate(async () => {
      await window.model.setAppData('order', 'abc');
      await window.model.addClass('empty');
      return [await window.model.samples(), await window.model.classes()];
    });
    await page.evaluate(() => window.model.save());
    await page.reload(); // without `close`, as a user does
    await page.waitForFunction(() => 'sartor' in window);
    expect(await openModel(page, MODEL, { name })).toEqual([]);
    const state = await page.evaluate(async () => ({
      samples: await window.model.samples(),
      classes: await window.model.classes(),
      thumbnails: (await window.model.thumbnails()).length,
      texts: [...(await window.model.appData())],
    }));
    expect(state).toEqual({ samples, classes, thumbnails: 13, texts: [['order', 'abc']] });
    expectSame(await predict(), before);
  });

  it('right after a sample, keeps the sample', async () => {
    await openModel(page, MODEL, { name });
    await page.evaluate(() => window.model.addSample(window.photo([190, 60, 60], 1), 'red'));
    await page.reload();
    await page.waitForFunction(() => 'sartor' in window);
    await openModel(page, MODEL, { name });
    const classes = await page.evaluate(() => window.model.classes());
    expect(classes).toMatchObject([{ name: 'red', samples: 1 }]);
  });

  it('during a training, keeps the weights before it', async () => {
    const before = await train();
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          window.model.fit({ epochs: 1_000_000, learningRate: 1 }, { onEpoch: () => resolve() });
        }),
    );
    await page.reload();
    await page.waitForFunction(() => 'sartor' in window);
    await openModel(page, MODEL, { name });
    expectSame(await predict(), before);
  });
});

describe('a second tab', () => {
  it('gets an error, and the model when the first tab is closed', async () => {
    const before = await train();
    await page.evaluate(() => window.model.save());
    const second = await site.newPage();
    const message = await messageOf(openModel(second, MODEL, { name }));
    expect(message).toContain('StoreError: the model is open in another tab or window');
    await page.close();
    page = second;
    await openModel(page, MODEL, { name });
    expectSame(await predict(), before);
  });

  it('opens another model', async () => {
    await train();
    const second = await site.newPage();
    expect(await openModel(second, MODEL, { name: `${name}-other` })).toEqual([]);
    expect(await second.evaluate(() => window.model.samples())).toEqual([]);
    await second.close();
  });
});

describe('a checkpoint', () => {
  it('of the browser opens in Python with the same predictions', async () => {
    const before = await train();
    const path = await download(site, page, 'web.safetensors', () => window.model.saveCheckpoint());
    const outputs = python(
      `${PYTHON_PROBE}
model = PersonalModel(sys.argv[1])
assert model.load(sys.argv[2]) == ()
print(json.dumps(outputs(model)))`,
      `${site.folder}/image.tflite`,
      path,
    );
    expectSame(JSON.parse(outputs), before);
  });

  it('of Python opens in the browser with the same predictions', async () => {
    const outputs = pythonFiles();
    await openModel(page, MODEL, { name });
    const notes = await page.evaluate(async () =>
      window.model.loadCheckpoint(await window.content('/files/python.safetensors')),
    );
    expect(notes).toEqual([]);
    expectSame(await predict(), outputs);
  });

  it('of Python loads into a model of another capacity', async () => {
    const outputs = pythonFiles();
    await openModel(page, '/files/larger.tflite', { name });
    await page.evaluate(async () =>
      window.model.loadCheckpoint(await window.content('/files/python.safetensors')),
    );
    expectSame(await predict(), outputs);
  });

  it('that is damaged gets an error, and nothing changes', async () => {
    pythonFiles();
    const whole = readFile(site, 'python.safetensors');
    const before = await train();
    for (const damaged of [
      whole.subarray(0, whole.length - 40),
      whole.with(whole.length - 30, 77),
      whole.map(() => 0),
      new Uint8Array(),
    ]) {
      const url = writeFile(site, 'damaged.safetensors', damaged);
      const action = page.evaluate(
        async (file) => window.model.loadCheckpoint(await window.content(file)),
        url,
      );
      expect(await messageOf(action)).toContain('CheckpointError');
      expectSame(await predict(), before);
    }
  });

  it('that is damaged in the storage gets a note, and the samples stay', async () => {
    await train();
    const samples = await page.evaluate(() => window.model.samples());
    await page.evaluate(() => window.model.close());
    await page.evaluate(async (storage) => {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle('sartor');
      const files = await (await folder.getDirectoryHandle(storage)).getDirectoryHandle('.opaque');
      const state = await findFile(files, 'checkpoint ');
      const content = new Uint8Array(await (await state.getFile()).arrayBuffer());
      const text = new TextDecoder('latin1').decode(content);
      for (const { index } of text.matchAll(/"F32"/g)) {
        content[index] = 0;
      }
      const writable = await state.createWritable();
      await writable.write(content);
      await writable.close();

      async function findFile(handles: FileSystemDirectoryHandle, words: string) {
        for await (const handle of (
          handles as unknown as { values(): AsyncIterable<FileSystemFileHandle> }
        ).values()) {
          const bytes = await (await handle.getFile()).arrayBuffer();
          if (new TextDecoder('latin1').decode(bytes).includes(words)) {
            return handle;
          }
        }
        throw new Error('no file has the words');
      }
    }, name);
    const notes = await openModel(page, MODEL, { name });
    expect(notes.join()).toContain('is damaged');
    expect(await page.evaluate(() => window.model.samples())).toEqual(samples);
    expect(Object.keys(await predict())).toEqual(['röt', 'blue', 'green']);
  });
});

let pythonOutputs: Outputs | undefined;

/**
 * Train in Python, and write `python.safetensors` and `python.sartor`, unless that is done.
 *
 * @returns the outputs for the probe.
 */
function pythonFiles(): Outputs {
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
      site.folder,
    ),
  ) as Outputs;
  return pythonOutputs;
}

describe('a project', () => {
  it('of the browser opens in Python with the same predictions and samples', async () => {
    const before = await train();
    const path = await download(site, page, 'web.sartor', () => window.model.exportProject());
    const result = python(
      `${PYTHON_PROBE}
from sartor.runtime import unpack_project
with PersonalModel(sys.argv[1], store=sys.argv[2] + ".store") as model:
    assert model.import_project(sys.argv[2]) == ()
    samples = [[s.id, s.held_out, s.rows, s.label, s.source] for s in model.samples]
    print(json.dumps([outputs(model), samples]))
unpack_project(sys.argv[2], sys.argv[2] + ".folder")`,
      `${site.folder}/image.tflite`,
      path,
    );
    const [outputs, samples] = JSON.parse(result);
    expectSame(outputs, before);
    const own = await page.evaluate(() => window.model.samples());
    expect(samples).toEqual(
      own.map((each) => [
        each.id,
        each.heldOut,
        each.rows,
        Object.keys(each.targets)[0],
        each.source,
      ]),
    );
  });

  it('of Python opens in the browser with the same predictions and samples', async () => {
    const outputs = pythonFiles();
    await train();
    const notes = await page.evaluate(async () =>
      window.model.importProject(await window.content('/files/python.sartor')),
    );
    expect(notes).toEqual([]);
    expectSame(await predict(), outputs);
    const state = await page.evaluate(async () => ({
      classes: await window.model.classes(),
      thumbnails: (await window.model.thumbnails('hat')).length,
      accuracy: (await window.model.evaluate()).samples,
    }));
    expect(state).toMatchObject({
      classes: [
        { name: 'hat', samples: 5, heldOut: 1, trained: true },
        { name: 'scärf', samples: 5, heldOut: 1, trained: true },
      ],
      thumbnails: 5,
      accuracy: 2,
    });
    await page.reload();
    await page.waitForFunction(() => 'sartor' in window);
    await openModel(page, MODEL, { name });
    expectSame(await predict(), outputs);
  });

  it('survives a way to Python and back', async () => {
    const before = await train();
    const path = await download(site, page, 'there.sartor', () => window.model.exportProject());
    python(
      `${PYTHON_PROBE}
with PersonalModel(sys.argv[1], store=sys.argv[2] + ".store") as model:
    model.import_project(sys.argv[2])
    model.rename_class("röt", "rouge")
    model.export_project(sys.argv[3])`,
      `${site.folder}/image.tflite`,
      path,
      `${site.folder}/back.sartor`,
    );
    await page.evaluate(async () =>
      window.model.importProject(await window.content('/files/back.sartor')),
    );
    const { röt: red, ...others } = before;
    expectSame(await predict(), { ...others, rouge: red ?? Number.NaN });
  });

  it('that is damaged gets an error, and nothing changes', async () => {
    pythonFiles();
    const whole = readFile(site, 'python.sartor');
    const before = await train();
    const samples = await page.evaluate(() => window.model.samples());
    for (const damaged of [
      whole.subarray(0, whole.length >> 1),
      flip(whole, 'TFL3', 900), // in its model
      flip(whole, 'SQLite', 20_000), // in its samples
      flip(whole, 'F32', 3000), // in its checkpoint
      new Uint8Array(),
    ]) {
      const url = writeFile(site, 'damaged.sartor', damaged);
      const action = page.evaluate(
        async (file) => window.model.importProject(await window.content(file)),
        url,
      );
      expect(await messageOf(action)).toContain('DataError: the file is not a project');
    }
    expect(await page.evaluate(() => window.model.samples())).toEqual(samples);
    expectSame(await predict(), before);
  });
});

/** Change the byte that follows a text by a distance. */
function flip(bytes: Uint8Array, text: string, distance: number): Uint8Array {
  const place = Buffer.from(bytes).indexOf(text) + distance;
  return bytes.with(place, (bytes[place] ?? 0) ^ 1);
}

describe('a baked file', () => {
  it('starts with the classes, in both languages', async () => {
    const before = await train();
    await download(site, page, 'baked.tflite', () => window.model.bake());
    const outputs = python(
      `${PYTHON_PROBE}
from sartor.testing.verify import verify_contract
assert verify_contract(sys.argv[1]).passed
print(json.dumps(outputs(PersonalModel(sys.argv[1]))))`,
      `${site.folder}/baked.tflite`,
    );
    expectSame(JSON.parse(outputs), before);
    await page.evaluate(() => window.model.close());
    await openModel(page, '/files/baked.tflite', { name: `${name}-baked` });
    expectSame(await predict(), before);
  });
});

describe('a frozen file', () => {
  /** Return the outputs of plain classifiers for the probe, and whether they can be trained. */
  const classify = `
from ai_edge_litert.interpreter import Interpreter
from sartor.flatbuffer import read
def classify(path):
    runner = Interpreter(path).get_signature_runner()
    probe = np.sin(np.arange(1152)).astype(np.float32).reshape(1, 24, 16, 3)
    values = runner(input=probe)["output"][0].tolist()
    model = read(path)
    assert [each.key for each in model.signatures] == ["serving_default"]
    return dict(zip(model.files["labels.txt"].decode().split("\\n"), values, strict=True))
`;

  it('is a plain classifier in LiteRT, like that of Python', async () => {
    const before = await train();
    const paths = [
      await download(site, page, 'frozen.tflite', () => window.model.freeze()),
      await download(site, page, 'web.safetensors', () => window.model.saveCheckpoint()),
    ];
    const [own, other] = JSON.parse(
      python(
        `${PYTHON_PROBE}${classify}
import sartor
other = sartor.freeze(sys.argv[1] + "/image.tflite", sys.argv[1] + "/other.tflite", sys.argv[3])
print(json.dumps([classify(sys.argv[2]), classify(str(other.path))]))`,
        site.folder,
        ...paths,
      ),
    );
    expectSame(own, before);
    expectSame(other, before);
    expect(Object.keys(own)).toEqual(['röt', 'blue', 'green']);
    await page.evaluate(() => window.model.close());
    const message = await messageOf(openModel(page, '/files/frozen.tflite', { name }));
    expect(message).toContain('NotPersonalizableError');
  });

  it('needs two classes', async () => {
    await openModel(page, MODEL, { name });
    await page.evaluate(() => window.model.addSample(window.photo([9, 9, 9], 1), 'only'));
    const message = await messageOf(page.evaluate(() => window.model.freeze()));
    expect(message).toContain("has 1 class: 'only', and a classifier needs 2 or more");
  });
});

describe('a model file', () => {
  it('that is damaged gets an error', async () => {
    const whole = readFile(site, 'image.tflite');
    for (const damaged of [
      whole.subarray(0, whole.length - 100),
      whole.with(5000, (whole[5000] ?? 0) ^ 1),
      new TextEncoder().encode('<!doctype html>'),
      new Uint8Array(),
    ]) {
      const url = writeFile(site, 'damaged.tflite', damaged);
      const message = await messageOf(openModel(page, url, { name }));
      expect(message).toMatch(/InvalidModelError|NotPersonalizableError/);
    }
  });

  it('that does not exist gets an error', async () => {
    const message = await messageOf(openModel(page, '/files/none.tflite', { name }));
    expect(message).toMatch(/InvalidModelError: .*none.tflite/);
  });

  it('with recurrent layers gets an error', async () => {
    const message = await messageOf(openModel(page, '/vectors/0/recurrent.tflite', { name }));
    expect(message).toContain('requires variable_tensors, which LiteRT.js does not support');
  });

  it('of another base gets an error, and the samples stay', async () => {
    await train();
    await page.evaluate(() => window.model.close());
    const message = await messageOf(openModel(page, '/vectors/0/float_adam.tflite', { name }));
    expect(message).toContain('has features of another base');
    await openModel(page, MODEL, { name });
    expect(await page.evaluate(() => window.model.samples())).toHaveLength(13);
  });
});

describe('a full storage', () => {
  it('gets an error, and keeps the samples that are stored', async () => {
    await train();
    await page.evaluate(() => window.model.close());
    await openModel(page, MODEL, { name, photos: true });
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    const message = await messageOf(
      page.evaluate(async () => {
        for (let seed = 0; seed < 100; seed += 1) {
          await window.model.addSample(largePhoto(seed), 'grey');
        }

        function largePhoto(seed: number): ImageData {
          const image = new ImageData(1000, 1000);
          image.data.forEach((_, at) => {
            image.data[at] = at % 4 === 3 ? 255 : (at * (seed + 7919)) % 251;
          });
          return image;
        }
      }),
    );
    expect(message).toContain('the storage of the browser is full');
    const before = await page.evaluate(() => window.model.samples());
    const labels = before.flatMap(({ targets }) => Object.keys(targets));
    expect(Object.keys(await predict()).sort()).toEqual([...new Set(labels)].sort());
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await page.evaluate(() => window.model.addSample(window.photo([9, 9, 9], 1), 'röt'));
    await page.reload();
    await page.waitForFunction(() => 'sartor' in window);
    await openModel(page, MODEL, { name });
    const after = await page.evaluate(() => window.model.samples());
    expect(after.slice(0, -1)).toEqual(before);
    expect(after).toHaveLength(before.length + 1);
  });
});

it('deletes a storage', async () => {
  await train();
  const open = page.evaluate((id) => window.sartor.PersonalModel.deleteStorage(id), name);
  expect(await messageOf(open)).toContain('open in another tab');
  await page.evaluate(() => window.model.close());
  await page.evaluate((id) => window.sartor.PersonalModel.deleteStorage(id), name);
  await openModel(page, MODEL, { name });
  expect(await page.evaluate(() => window.model.samples())).toEqual([]);
});
