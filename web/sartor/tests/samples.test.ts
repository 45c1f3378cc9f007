/** Samples and classes in a real browser. */

import { beforeEach, describe, expect, it } from 'vitest';
import { messageOf, useTab } from './browser.js';
import { addSamples, BLUE, RED } from './page_samples.js';

const tab = useTab({ isShared: true });

beforeEach(() => tab.open('/files/image.tflite', { storage: 'memory', thumbnails: true }));

describe('classes', () => {
  it('are listed with their samples, renamed and removed', async () => {
    await addSamples(tab, 2);
    await addSamples(tab, 1, true);
    const { before, after, best } = await tab.page.evaluate(async (blue) => {
      const { model } = window;
      await model.addClass('green');
      const before = await model.classes();
      await model.renameClass('blue', 'sea');
      await model.renameClass('green', 'grass');
      await model.removeClass('red');
      const { best } = await model.predict(window.photo(blue, 55));
      return { before, after: await model.classes(), best };
    }, BLUE);
    expect(before).toEqual([
      { name: 'red', index: 0, samples: 3, heldOut: 1, trained: false },
      { name: 'blue', index: 1, samples: 3, heldOut: 1, trained: false },
      { name: 'green', index: undefined, samples: 0, heldOut: 0, trained: false },
    ]);
    expect(after.map(({ name }) => name)).toEqual(['sea', 'grass']);
    expect(best).toEqual({ label: 'sea', probability: expect.closeTo(1, 5) });
  });

  it('are no more than the capacity', async () => {
    const message = await messageOf(
      tab.page.evaluate(async (red) => {
        for (const name of ['a', 'b', 'c', 'd', 'e']) {
          await window.model.addSample(window.photo(red, name.charCodeAt(0)), name);
        }
      }, RED),
    );
    expect(message).toContain('its capacity is 4 classes, and 5 are needed');
    expect(await tab.page.evaluate(() => window.model.classes())).toHaveLength(4);
  });

  it('have names that are unique and visible', async () => {
    await addSamples(tab, 1);
    for (const name of ['red', '', ' ', 'a\nb', '\ud800']) {
      const action = tab.page.evaluate((label) => window.model.renameClass('blue', label), name);
      await expect(action).rejects.toThrow('DataError');
    }
  });
});

describe('samples', () => {
  it('are stored once, with one label', async () => {
    const message = await messageOf(
      tab.page.evaluate(async (red) => {
        const { model } = window;
        const first = await model.addSample(window.photo(red, 1), 'red');
        const second = await model.addSample(window.photo(red, 1), 'red');
        if (first !== second) {
          throw new Error('the sample is stored twice');
        }
        await model.addSample(window.photo(red, 1), 'blue');
      }, RED),
    );
    expect(message).toContain('with another label (red 1): forget it first');
  });

  it('and classes that do not fit get errors with codes, which an app can explain', async () => {
    await addSamples(tab, 1);
    const codes = await tab.page.evaluate(async (red) => {
      const { model, photo } = window;
      const actions = [
        () => model.addSample(new Blob(['a text']), 'red'),
        () => model.addSample(photo(red, 1), 'pink'),
        () => model.renameClass('red', 'blue'),
        () => model.addClass('a\nb'),
        () => model.importProject(new Blob(['a text'])),
      ];
      await model.addSample(photo(red, 1), 'red');
      const codes: (string | undefined)[] = [];
      for (const action of actions) {
        codes.push(await action().then(String, (error) => error.code));
      }
      return codes;
    }, RED);
    expect(codes).toEqual([
      'not-an-image',
      'other-label',
      'name-in-use',
      'not-a-name',
      'not-a-project',
    ]);
  });

  it('are listed and forgotten, and their class with the last one', async () => {
    await addSamples(tab, 2);
    const { samples, left, found } = await tab.page.evaluate(async (red) => {
      const { model } = window;
      const samples = await model.samples();
      const found = await model.find(window.photo(red, 1));
      await model.forget(...samples.filter(({ targets }) => 'red' in targets).map(({ id }) => id));
      return { samples, found, left: await model.classes() };
    }, RED);
    expect(samples.map(({ targets }) => Object.keys(targets)[0])).toEqual([
      'red',
      'blue',
      'red',
      'blue',
    ]);
    expect(found).toEqual(samples[2]);
    expect(left.map(({ name }) => name)).toEqual(['blue']);
    const forgotten = tab.page.evaluate(() => window.model.forget(1));
    await expect(forgotten).rejects.toThrow('the store has no sample 1');
  });

  it('have thumbnails of at most 48 pixels', async () => {
    await addSamples(tab, 3);
    const sizes = await tab.page.evaluate(async () => {
      const thumbnails = await window.model.thumbnails('blue', 2);
      return Promise.all(
        thumbnails.map(async ({ id, image }) => {
          const { width, height } = await createImageBitmap(image);
          return [id, image.type, width, height];
        }),
      );
    });
    expect(sizes).toEqual([
      [4, 'image/png', 16, 24],
      [6, 'image/png', 16, 24],
    ]);
  });

  it('have augmentations, and features of a prediction', async () => {
    const { rows, same } = await tab.page.evaluate(async (red) => {
      const { model } = window;
      await model.addSample(window.photo(red, 1), 'red', { augment: 3 });
      const { features } = await model.predict(window.photo(red, 2), { features: true });
      const added = features === undefined ? {} : { features };
      await model.addSample(window.photo(red, 2), 'red', added);
      await model.addSample(window.photo(red, 2), 'other', { source: 'a copy' });
      const { ranking } = await model.predict(window.photo(red, 2));
      return { rows: (await model.samples()).map((sample) => sample.rows), same: ranking };
    }, RED);
    expect(rows).toEqual([4, 1, 1]);
    expect(same[0]?.label).toBe('other'); // its only sample is this photo
  });

  it('are evicted from a full store', async () => {
    const count = await tab.page.evaluate(async (red) => {
      await window.model.close();
      const options = { storage: 'memory', maxSamples: 3 } as const;
      window.model = await window.sartor.PersonalModel.open('/files/image.tflite', options);
      for (let seed = 0; seed < 6; seed += 1) {
        await window.model.addSample(window.photo(red, seed), 'red');
      }
      return (await window.model.samples()).length;
    }, RED);
    expect(count).toBe(3);
  });
});

it('removes and renames a class that was empty before its first sample', async () => {
  const names = await tab.page.evaluate(async (red) => {
    for (const name of ['first', 'second']) {
      await window.model.addClass(name);
      await window.model.addSample(window.photo(red, name.length), name);
    }
    await window.model.removeClass('first');
    await window.model.renameClass('second', 'other');
    return (await window.model.classes()).map(({ name }) => name);
  }, RED);
  expect(names).toEqual(['other']);
});

it('stores texts of the app', async () => {
  const texts = await tab.page.evaluate(async () => {
    await window.model.addClass('empty');
    await window.model.setAppData('view/a', 'Hüte');
    await window.model.setAppData('view/b', 'x');
    await window.model.setAppData('view/b', undefined);
    return [...(await window.model.appData())];
  });
  expect(texts).toEqual([['view/a', 'Hüte']]);
});

it('stores the photo of a sample: a file as it is, other images as PNG', async () => {
  const photos = await tab.page.evaluate(async (red) => {
    await window.model.close();
    const options = { storage: 'memory', photos: true } as const;
    window.model = await window.sartor.PersonalModel.open('/files/image.tflite', options);
    const pixels = window.photo(red, 1);
    const first = await window.model.addSample(pixels, 'red');
    const png = (await window.model.photo(first)) as Blob;
    const second = await window.model.addSample(new File([png], 'a.png'), 'red');
    const copy = (await window.model.photo(second)) as Blob;
    const { width, height } = await createImageBitmap(png);
    const { ranking } = await window.model.predict(png);
    return { size: [width, height], sizes: [png.size, copy.size], label: ranking[0]?.label };
  }, RED);
  expect(photos.size).toEqual([20, 30]);
  expect(photos.sizes[0]).toBe(photos.sizes[1]);
  expect(photos.label).toBe('red');
});
