/** The app with a camera that shows real photos: record, train, come back, go offline. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Screen } from './screen.js';
import { type Files, HAS_PHOTOS, HOOK_TIMEOUT, Host, makeFiles, openBrowser } from './site.js';

describe.skipIf(!HAS_PHOTOS)('a camera with photos', () => {
  let files: Files;
  let browser: Browser;
  let host: Host;
  let screen: Screen;

  beforeAll(async () => {
    files = makeFiles();
    browser = await openBrowser('photos', files.video);
    host = new Host(files.site);
    await host.start();
    screen = await Screen.open(browser, host.url);
    await screen.ready();
  }, HOOK_TIMEOUT);

  afterAll(async () => {
    await browser?.close();
    await host?.stop();
  });

  it('isolates the page on a host without headers, and runs with several threads', async () => {
    const headers = await screen.page.evaluate(async () => {
      const { headers } = await fetch('index.html');
      return { policy: headers.get('Content-Security-Policy'), isIsolated: crossOriginIsolated };
    });
    expect(headers.isIsolated).toBe(true);
    expect(headers.policy).toContain("default-src 'none'");
  });

  it('recognizes two classes as soon as their samples are recorded', async () => {
    await screen.rename('Class 1', 'Hat');
    await screen.rename('Class 2', 'Shoes');
    await screen.record('Hat', 'hat', 5);
    await screen.record('Shoes', 'shoes', 5);
    await screen.scene('hat');
    await screen.verdict('Hat');
    await screen.scene('shoes');
    await screen.verdict('Shoes');
    expect(await screen.confidence('Shoes')).toBeGreaterThan(50);
  });

  it('trains with a loss curve, and states the accuracy on held-out samples', async () => {
    await screen.page.getByRole('button', { name: 'Train' }).click();
    await screen.page.getByRole('img', { name: /Loss curve/ }).waitFor();
    const results = screen.page.getByRole('region', { name: 'Results' });
    await results.waitFor();
    expect(await results.textContent()).toContain('expected accuracy');
    await screen.scene('hat');
    await screen.verdict('Hat');
  });

  it('measures a confusion matrix on test samples, which do not train', async () => {
    const before = await screen.samples('Hat');
    await screen.page.getByRole('radio', { name: 'Test samples' }).check();
    await screen.scene('hat');
    await screen.page.keyboard.down('1');
    await screen.card('Hat').locator('.count-test').waitFor();
    await screen.page.keyboard.up('1');
    await screen.page.getByRole('radio', { name: 'Training samples' }).check();
    expect(await screen.samples('Hat')).toBe(before);
    const table = screen.page.getByRole('table');
    await table.waitFor();
    expect(await table.getByRole('rowheader').allTextContents()).toEqual(['Hat', 'Shoes']);
  });

  it('keeps classes, samples, weights and results after a reload, and works without a network', async () => {
    const [hats, shoes] = [await screen.samples('Hat'), await screen.samples('Shoes')];
    await host.stop();
    await screen.page.reload();
    await screen.ready();
    const results = screen.page.getByRole('region', { name: 'Results' });
    await results.getByText('expected accuracy').waitFor();
    await results.getByRole('table').waitFor();
    await screen.page.getByRole('img', { name: /Loss curve/ }).waitFor();
    expect(await screen.samples('Hat')).toBe(hats);
    expect(await screen.samples('Shoes')).toBe(shoes);
    await screen.scene('hat');
    await screen.verdict('Hat');
    await screen.scene('shoes');
    await screen.verdict('Shoes');
  });
});
