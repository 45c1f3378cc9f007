/** Files that go to Python and back: checkpoints, projects, baked and frozen models. */

import { describe, expect, it } from 'vitest';
import { download, messageOf, python, readFile, useTab, writeFile } from './browser.js';
import { expectSame, MODEL, PYTHON_PROBE, predict, pythonFiles, train } from './probe.js';

/** Sets the names of the empty classes in a copy of a project: FILE COPY TEXT. */
const PYTHON_EMPTY_CLASSES = `
import sqlite3, sys, zipfile
from pathlib import Path
path = Path(sys.argv[1])
with zipfile.ZipFile(path) as project:
    files = {name: project.read(name) for name in project.namelist()}
store = path.with_suffix(".patched")
store.write_bytes(files["checkpoint.samples"])
with sqlite3.connect(store) as database:
    database.execute("INSERT OR REPLACE INTO meta VALUES ('app/sartor/empty_classes', ?)", sys.argv[3:])
database.close()
files["checkpoint.samples"] = store.read_bytes()
with zipfile.ZipFile(sys.argv[2], "w") as project:
    for name, content in files.items():
        project.writestr(name, content)
`;

const tab = useTab();

describe('a checkpoint', () => {
  it('of the browser opens in Python with the same predictions', async () => {
    const before = await train(tab);
    const path = await download(tab.site, tab.page, 'web.safetensors', () =>
      window.model.saveCheckpoint(),
    );
    const outputs = python(
      `${PYTHON_PROBE}
model = PersonalModel(sys.argv[1])
assert model.load(sys.argv[2]) == ()
print(json.dumps(outputs(model)))`,
      `${tab.site.folder}/image.tflite`,
      path,
    );
    expectSame(JSON.parse(outputs), before);
  });

  it('of Python opens in the browser with the same predictions', async () => {
    const outputs = pythonFiles(tab);
    await tab.open(MODEL);
    const notes = await tab.page.evaluate(async () =>
      window.model.loadCheckpoint(await window.content('/files/python.safetensors')),
    );
    expect(notes).toEqual([]);
    expectSame(await predict(tab), outputs);
  });

  it('of Python loads into a model of another capacity', async () => {
    const outputs = pythonFiles(tab);
    await tab.open('/files/larger.tflite');
    await tab.page.evaluate(async () =>
      window.model.loadCheckpoint(await window.content('/files/python.safetensors')),
    );
    expectSame(await predict(tab), outputs);
  });

  it('that is damaged gets an error, and nothing changes', async () => {
    pythonFiles(tab);
    const whole = readFile(tab.site, 'python.safetensors');
    const before = await train(tab);
    for (const damaged of [
      whole.subarray(0, whole.length - 40),
      whole.with(whole.length - 30, 77),
      whole.map(() => 0),
      new Uint8Array(),
    ]) {
      const url = writeFile(tab.site, 'damaged.safetensors', damaged);
      const action = tab.page.evaluate(
        async (file) => window.model.loadCheckpoint(await window.content(file)),
        url,
      );
      expect(await messageOf(action)).toContain('CheckpointError');
      expectSame(await predict(tab), before);
    }
  });
});

describe('a project', () => {
  it('of the browser opens in Python with the same predictions and samples', async () => {
    const before = await train(tab);
    const path = await download(tab.site, tab.page, 'web.sartor', () =>
      window.model.exportProject(),
    );
    const result = python(
      `${PYTHON_PROBE}
from sartor.runtime import unpack_project
with PersonalModel(sys.argv[1], store=sys.argv[2] + ".store") as model:
    assert model.import_project(sys.argv[2]) == ()
    samples = [[s.id, s.held_out, s.rows, s.label, s.source] for s in model.samples]
    print(json.dumps([outputs(model), samples]))
unpack_project(sys.argv[2], sys.argv[2] + ".folder")`,
      `${tab.site.folder}/image.tflite`,
      path,
    );
    const [outputs, samples] = JSON.parse(result);
    expectSame(outputs, before);
    const own = await tab.page.evaluate(() => window.model.samples());
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

  it.each(['{', '[1, null]', JSON.stringify(Array.from({ length: 99 }, (_, i) => `<b>${i}`))])(
    'opens with any text as the names of empty classes, within the capacity (text %#)',
    async (names) => {
      const outputs = pythonFiles(tab);
      const folder = tab.site.folder;
      python(PYTHON_EMPTY_CLASSES, `${folder}/python.sartor`, `${folder}/names.sartor`, names);
      await tab.open(MODEL);
      await tab.page.evaluate(async () =>
        window.model.importProject(await window.content('/files/names.sartor')),
      );
      expectSame(await predict(tab), outputs);
      const classes = await tab.page.evaluate(() => window.model.classes());
      expect(classes.length).toBeLessThanOrEqual(4);
    },
  );

  it('of Python opens in the browser with the same predictions and samples', async () => {
    const outputs = pythonFiles(tab);
    await train(tab);
    const notes = await tab.page.evaluate(async () =>
      window.model.importProject(await window.content('/files/python.sartor')),
    );
    expect(notes).toEqual([]);
    expectSame(await predict(tab), outputs);
    const state = await tab.page.evaluate(async () => ({
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
    await tab.reload();
    await tab.open(MODEL);
    expectSame(await predict(tab), outputs);
  });

  it('survives a way to Python and back', async () => {
    const before = await train(tab);
    const path = await download(tab.site, tab.page, 'there.sartor', () =>
      window.model.exportProject(),
    );
    python(
      `${PYTHON_PROBE}
with PersonalModel(sys.argv[1], store=sys.argv[2] + ".store") as model:
    model.import_project(sys.argv[2])
    model.rename_class("röt", "rouge")
    model.export_project(sys.argv[3])`,
      `${tab.site.folder}/image.tflite`,
      path,
      `${tab.site.folder}/back.sartor`,
    );
    await tab.page.evaluate(async () =>
      window.model.importProject(await window.content('/files/back.sartor')),
    );
    const { röt: red, ...others } = before;
    expectSame(await predict(tab), { ...others, rouge: red ?? Number.NaN });
  });

  it('of another base opens with its own model', async () => {
    const outputs = pythonFiles(tab);
    await tab.open('/vectors/0/float_adam.tflite');
    const message = await messageOf(
      tab.page.evaluate(async () =>
        window.model.importProject(await window.content('/files/python.sartor')),
      ),
    );
    expect(message).toContain('of another base');
    await tab.page.evaluate(async (name) => {
      await window.model.close();
      const project = await window.content('/files/python.sartor');
      const { PersonalModel } = window.sartor;
      const file = await PersonalModel.modelOfProject(project);
      window.model = await PersonalModel.open(file, { name });
      await window.model.importProject(project);
    }, `${tab.name}-other`);
    expectSame(await predict(tab), outputs);
  });

  it('that is damaged gets an error, and nothing changes', async () => {
    pythonFiles(tab);
    const whole = readFile(tab.site, 'python.sartor');
    const before = await train(tab);
    const samples = await tab.page.evaluate(() => window.model.samples());
    for (const damaged of [
      whole.subarray(0, whole.length >> 1),
      flip(whole, 'TFL3', 900), // in its model
      flip(whole, 'SQLite', 20_000), // in its samples
      flip(whole, 'F32', 3000), // in its checkpoint
      new Uint8Array(),
    ]) {
      const url = writeFile(tab.site, 'damaged.sartor', damaged);
      const action = tab.page.evaluate(
        async (file) => window.model.importProject(await window.content(file)),
        url,
      );
      expect(await messageOf(action)).toContain('DataError: the file is not a project');
    }
    expect(await tab.page.evaluate(() => window.model.samples())).toEqual(samples);
    expectSame(await predict(tab), before);
  });
});

/** Change the byte that follows a text by a distance. */
function flip(bytes: Uint8Array, text: string, distance: number): Uint8Array {
  const place = Buffer.from(bytes).indexOf(text) + distance;
  return bytes.with(place, (bytes[place] ?? 0) ^ 1);
}

describe('a baked file', () => {
  it('starts with the classes, in both languages', async () => {
    const before = await train(tab);
    await download(tab.site, tab.page, 'baked.tflite', () => window.model.bake());
    const outputs = python(
      `${PYTHON_PROBE}
from sartor.testing.verify import verify_contract
assert verify_contract(sys.argv[1]).passed
print(json.dumps(outputs(PersonalModel(sys.argv[1]))))`,
      `${tab.site.folder}/baked.tflite`,
    );
    expectSame(JSON.parse(outputs), before);
    await tab.page.evaluate(() => window.model.close());
    await tab.open('/files/baked.tflite', { name: `${tab.name}-baked` });
    expectSame(await predict(tab), before);
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
    const before = await train(tab);
    const paths = [
      await download(tab.site, tab.page, 'frozen.tflite', () => window.model.freeze()),
      await download(tab.site, tab.page, 'web.safetensors', () => window.model.saveCheckpoint()),
    ];
    const [own, other] = JSON.parse(
      python(
        `${PYTHON_PROBE}${classify}
import sartor
other = sartor.freeze(sys.argv[1] + "/image.tflite", sys.argv[1] + "/other.tflite", sys.argv[3])
print(json.dumps([classify(sys.argv[2]), classify(str(other.path))]))`,
        tab.site.folder,
        ...paths,
      ),
    );
    expectSame(own, before);
    expectSame(other, before);
    expect(Object.keys(own)).toEqual(['röt', 'blue', 'green']);
    await tab.page.evaluate(() => window.model.close());
    const message = await messageOf(tab.open('/files/frozen.tflite'));
    expect(message).toContain('NotPersonalizableError');
  });

  it('needs two classes', async () => {
    await tab.open(MODEL);
    await tab.page.evaluate(() => window.model.addSample(window.photo([9, 9, 9], 1), 'only'));
    const message = await messageOf(tab.page.evaluate(() => window.model.freeze()));
    expect(message).toContain("has 1 class: 'only', and a classifier needs 2 or more");
  });
});
