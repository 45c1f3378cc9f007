/** What stays in the browser: reloads, tabs, damage, a full storage. */

import { describe, expect, it } from 'vitest';
import { messageOf, openModel, readFile, useTab, writeFile } from './browser.js';
import { expectSame, MODEL, predict, train } from './probe.js';

const tab = useTab();

describe('a reload', () => {
  it('keeps samples, weights, classes, thumbnails and texts', async () => {
    const before = await train(tab);
    const [samples, classes] = await tab.page.evaluate(async () => {
      await window.model.setAppData('order', 'abc');
      await window.model.addClass('empty');
      return [await window.model.samples(), await window.model.classes()];
    });
    await tab.page.evaluate(() => window.model.save());
    await tab.reload();
    expect(await tab.open(MODEL)).toEqual([]);
    const state = await tab.page.evaluate(async () => ({
      samples: await window.model.samples(),
      classes: await window.model.classes(),
      thumbnails: (await window.model.thumbnails()).length,
      texts: [...(await window.model.appData())],
    }));
    expect(state).toEqual({ samples, classes, thumbnails: 13, texts: [['order', 'abc']] });
    expectSame(await predict(tab), before);
  });

  it('right after a sample, keeps the sample', async () => {
    await tab.open(MODEL);
    await tab.page.evaluate(() => window.model.addSample(window.photo([190, 60, 60], 1), 'red'));
    await tab.reload();
    await tab.open(MODEL);
    const classes = await tab.page.evaluate(() => window.model.classes());
    expect(classes).toMatchObject([{ name: 'red', samples: 1 }]);
  });

  it('during a training, keeps the weights before it', async () => {
    const before = await train(tab);
    await tab.page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          window.model.fit({ epochs: 1_000_000, learningRate: 1 }, { onEpoch: () => resolve() });
        }),
    );
    await tab.reload();
    await tab.open(MODEL);
    expectSame(await predict(tab), before);
  });
});

describe('a second tab', () => {
  it('gets an error, and the model when the first tab is closed', async () => {
    const before = await train(tab);
    await tab.page.evaluate(() => window.model.save());
    const second = await tab.site.newPage();
    const message = await messageOf(openModel(second, MODEL, { name: tab.name }));
    expect(message).toContain('StoreError: the model is open in another tab or window');
    await tab.page.close();
    tab.page = second;
    await tab.open(MODEL);
    expectSame(await predict(tab), before);
  });

  it('opens another model', async () => {
    await train(tab);
    const second = await tab.site.newPage();
    expect(await openModel(second, MODEL, { name: `${tab.name}-other` })).toEqual([]);
    expect(await second.evaluate(() => window.model.samples())).toEqual([]);
    await second.close();
  });
});

describe('a checkpoint', () => {
  it('that is damaged in the storage gets a note, and the samples stay', async () => {
    await train(tab);
    const samples = await tab.page.evaluate(() => window.model.samples());
    await tab.page.evaluate(() => window.model.close());
    await tab.page.evaluate(async (storage) => {
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
    }, tab.name);
    const notes = await tab.open(MODEL);
    expect(notes.join()).toContain('is damaged');
    expect(await tab.page.evaluate(() => window.model.samples())).toEqual(samples);
    expect(Object.keys(await predict(tab))).toEqual(['röt', 'blue', 'green']);
  });
});

describe('a model file', () => {
  it('that is damaged gets an error', async () => {
    const whole = readFile(tab.site, 'image.tflite');
    for (const damaged of [
      whole.subarray(0, whole.length - 100),
      whole.with(5000, (whole[5000] ?? 0) ^ 1),
      new TextEncoder().encode('<!doctype html>'),
      new Uint8Array(),
    ]) {
      const url = writeFile(tab.site, 'damaged.tflite', damaged);
      const message = await messageOf(tab.open(url));
      expect(message).toMatch(/InvalidModelError|NotPersonalizableError/);
    }
  });

  it('that does not exist gets an error', async () => {
    const message = await messageOf(tab.open('/files/none.tflite'));
    expect(message).toMatch(/InvalidModelError: .*none.tflite/);
  });

  it('with recurrent layers gets an error', async () => {
    const message = await messageOf(tab.open('/vectors/0/recurrent.tflite'));
    expect(message).toContain('requires variable_tensors, which LiteRT.js does not support');
  });

  it('of another base gets an error, and the samples stay', async () => {
    await train(tab);
    await tab.page.evaluate(() => window.model.close());
    const message = await messageOf(tab.open('/vectors/0/float_adam.tflite'));
    expect(message).toContain('has features of another base');
    await tab.open(MODEL);
    expect(await tab.page.evaluate(() => window.model.samples())).toHaveLength(13);
  });
});

describe('a full storage', () => {
  it('gets an error, and keeps the samples that are stored', async () => {
    await train(tab);
    await tab.page.evaluate(() => window.model.close());
    await tab.open(MODEL, { photos: true });
    const session = await tab.page.context().newCDPSession(tab.page);
    const { origin } = new URL(tab.page.url());
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    const message = await messageOf(
      tab.page.evaluate(async () => {
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
    const before = await tab.page.evaluate(() => window.model.samples());
    const labels = before.flatMap(({ targets }) => Object.keys(targets));
    expect(Object.keys(await predict(tab)).sort()).toEqual([...new Set(labels)].sort());
    await session.send('Storage.overrideQuotaForOrigin', { origin });
    await tab.page.evaluate(() => window.model.addSample(window.photo([9, 9, 9], 1), 'röt'));
    await tab.reload();
    await tab.open(MODEL);
    const after = await tab.page.evaluate(() => window.model.samples());
    expect(after.slice(0, -1)).toEqual(before);
    expect(after).toHaveLength(before.length + 1);
  });
});

it('says that a browser has no storage', async () => {
  await tab.page.evaluate(() => {
    const remove = "import 'data:text/javascript,delete StorageManager.prototype.getDirectory';";
    window.Worker = class extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        const script = new Blob([`${remove}\nimport '${url}';`], { type: 'text/javascript' });
        super(URL.createObjectURL(script), options);
      }
    };
  });
  const message = await messageOf(tab.open(MODEL));
  expect(message).toContain('StoreError: samples cannot be stored: this browser');
  expect(await tab.open(MODEL, { storage: 'memory' })).toEqual([]);
});

it('deletes a storage', async () => {
  await train(tab);
  const open = tab.page.evaluate((id) => window.sartor.PersonalModel.deleteStorage(id), tab.name);
  expect(await messageOf(open)).toContain('open in another tab');
  await tab.page.evaluate(() => window.model.close());
  await tab.page.evaluate((id) => window.sartor.PersonalModel.deleteStorage(id), tab.name);
  await tab.open(MODEL);
  expect(await tab.page.evaluate(() => window.model.samples())).toEqual([]);
});
