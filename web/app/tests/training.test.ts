/** Trainings on dropped folders of photos, without a camera: accuracy, other inputs, pause, stop. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Screen } from './screen.js';
import {
  HAS_PHOTOS,
  HOOK_TIMEOUT,
  Host,
  makeFiles,
  openBrowser,
  photoFolders,
  validationPhoto,
} from './site.js';

const CLASSES = ['longsleeve', 'outwear', 'shirt'];
const PHOTOS = 12; // of each class

describe.skipIf(!HAS_PHOTOS)('a training on photos', () => {
  let browser: Browser;
  let host: Host;
  let screen: Screen;

  beforeAll(async () => {
    host = new Host(makeFiles().site);
    await host.start();
    browser = await openBrowser('none', '');
    screen = await Screen.open(browser, host.url);
    await screen.opened();
  }, HOOK_TIMEOUT);

  afterAll(async () => {
    await browser?.close();
    await host?.stop();
  });

  /** Return the accuracy on the test samples in percent, once it is that of some samples. */
  async function accuracy(samples: number): Promise<number> {
    const figure = results().locator('.figure', { hasText: `of ${samples} test samples` });
    return Number.parseInt((await figure.locator('.number').textContent()) ?? '', 10);
  }

  const results = () => screen.page.getByRole('region', { name: 'Results' });
  const train = () => screen.page.getByRole('button', { name: 'Train' });

  it('makes classes of dropped folders, instead of the empty ones', async () => {
    await screen.dropPaths(photoFolders('train', CLASSES, PHOTOS));
    await screen.page.getByText(`${CLASSES.length * PHOTOS} photos added`).waitFor();
    const cards = screen.page.locator('.card');
    const names = await cards.evaluateAll((all) => all.map((card) => card.ariaLabel).sort());
    expect(names).toEqual(CLASSES);
    for (const name of CLASSES) {
      expect(await screen.samples(name)).toBe(PHOTOS);
    }
  });

  it('recognizes more photos that it was not trained on than before', async () => {
    await screen.page.getByRole('radio', { name: 'Test samples' }).check();
    await screen.dropPaths(photoFolders('validation', CLASSES, PHOTOS));
    const before = await accuracy(CLASSES.length * PHOTOS);
    await train().click();
    await results().getByText('expected accuracy').waitFor();
    const after = await accuracy(CLASSES.length * PHOTOS);
    expect(after).toBeGreaterThan(before);
  });

  it('states that a photo of another class is none of these, and lights up no class', async () => {
    await screen.dropPaths([validationPhoto('shoes', 0)]);
    await screen.verdict('None of these');
    expect(await screen.page.locator('.card.is-best').count()).toBe(0);
    expect(await screen.page.locator('.confidence.is-other').count()).toBe(CLASSES.length);
    await screen.dropPaths([validationPhoto('outwear', 0)]);
    await screen.verdict('outwear');
    expect(await screen.page.locator('.card.is-best').count()).toBe(1);
  });

  it('pauses, continues and stops a training', async () => {
    const text = screen.page.locator('.progress > p');
    await screen.page.getByText('Advanced').click();
    await screen.page.getByLabel('Epochs').fill('1000000');
    await train().click();
    await text.filter({ hasText: /^Epoch/ }).waitFor();
    await screen.page.getByRole('button', { name: 'Pause' }).click();
    const paused = text.filter({ hasText: 'paused' });
    await paused.waitFor();
    const epoch = await paused.textContent();
    await screen.page.waitForTimeout(300); // a training that continues would show another epoch
    expect(await paused.textContent()).toBe(epoch);
    await screen.page.getByRole('button', { name: 'Continue' }).click();
    await text.filter({ hasNotText: 'paused' }).waitFor();
    await text.filter({ hasNotText: epoch?.replace(', paused', '') ?? '' }).waitFor();
    await screen.page.getByRole('button', { name: 'Stop' }).click();
    await train().waitFor();
    await screen.dropPaths([validationPhoto('outwear', 0)]);
    await screen.verdict('outwear');
  });

  it('ends without an error when another tab takes the project over', async () => {
    await train().click();
    await screen.page
      .locator('.progress > p')
      .filter({ hasText: /^Epoch/ })
      .waitFor();
    const other = await Screen.openTab(screen.context, host.url);
    await other.page.getByRole('button', { name: 'Use it here' }).click();
    await other.opened();
    await screen.page.getByText('Open in another tab').waitFor();
    await screen.page.locator('.progress').waitFor({ state: 'detached' });
    expect(await screen.page.getByText('The training has failed.').count()).toBe(0);
    expect(await other.samples('outwear')).toBe(PHOTOS);
  });
});
