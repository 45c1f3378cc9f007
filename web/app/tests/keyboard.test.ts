/** The app by keyboard: recording, and the place of the focus after each action. */

import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Screen } from './screen.js';
import { HOOK_TIMEOUT, Host, makeFiles, openBrowser } from './site.js';

let host: Host;
let browser: Browser;
let screen: Screen;

beforeAll(async () => {
  host = new Host(makeFiles().site);
  await host.start();
  browser = await openBrowser('pattern', '');
}, HOOK_TIMEOUT);

afterAll(async () => {
  await browser?.close();
  await host?.stop();
});

afterEach(async () => {
  await screen?.context.close();
});

/** Open the app in a new profile. */
async function open(): Promise<Screen> {
  screen = await Screen.open(browser, host.url);
  return screen;
}

it('records while a key is held, and a second for the click of a screen reader', async () => {
  const { page } = await open();
  await screen.ready();
  await page.keyboard.down('2');
  await page.locator('.recording-badge').waitFor();
  await page.waitForFunction(
    () => Number(document.querySelectorAll('.count-number')[1]?.textContent) >= 2,
  );
  await page.keyboard.up('2');
  await page.locator('.recording-badge').waitFor({ state: 'detached' });
  const before = await screen.samples('Class 1');
  await page.evaluate(() => document.querySelector<HTMLElement>('.hold')?.click());
  await page.waitForFunction(
    () => Number(document.querySelector('.count-number')?.textContent) >= 1,
  );
  await page.locator('.recording-badge').waitFor({ state: 'detached' });
  expect(await screen.samples('Class 1')).toBeGreaterThan(before);
  await page.keyboard.down('3');
  await page.locator('.recording-badge').waitFor();
  await page.evaluate(() => dispatchEvent(new Event('blur'))); // another window gets the keyup
  await page.locator('.recording-badge').waitFor({ state: 'detached' });
});

it('records a sample for each press of Enter or Space, and says so', async () => {
  const { page } = await open();
  await screen.ready();
  const spoken = page.locator('.only-spoken[aria-live]');
  await page.getByRole('button', { name: 'Hold to record Class 1' }).focus();
  for (const [index, key] of ['Enter', 'Space'].entries()) {
    await page.keyboard.press(key);
    await screen.count('Class 1', index + 1);
    const samples = index === 0 ? '1 sample' : '2 samples';
    await spoken.filter({ hasText: new RegExp(`^Class 1: ${samples}$`) }).waitFor();
    await page.locator('.recording-badge').waitFor({ state: 'detached' });
  }
});

it('keeps the focus near its place: renaming, deleting, training', async () => {
  const { page } = await open();
  await screen.opened();
  await screen.rename('Class 1', 'Cup');
  expect(await screen.focus()).toBe('Hold to record Cup');
  await screen.addPhoto('Cup', '#d01020');
  await screen.addPhoto('Cup', '#d0a020');
  await screen.addPhoto('Class 2', '#1020d0');
  expect(await page.locator('.card').count()).toBe(4); // Enter in a name records nothing

  await page.getByRole('button', { name: 'Samples of Cup' }).press('Enter');
  await page.getByRole('button', { name: 'Delete sample 1 of Cup' }).press('Enter');
  await screen.count('Cup', 1);
  expect(await screen.focus()).toBe('Delete sample 1 of Cup');
  await page.keyboard.press('Escape');
  expect(await screen.focus()).toBe('Samples of Cup');
  await page.getByRole('button', { name: 'Samples of Class 3' }).press('Enter');
  await page.getByRole('button', { name: 'Delete the class' }).press('Enter');
  await page.keyboard.press('Enter');
  await screen.card('Class 3').waitFor({ state: 'detached' });
  expect(await screen.focus()).toBe('Add photos to Class 4'); // it has taken its place

  const train = page.getByRole('button', { name: 'Train' });
  await train.press('Enter');
  expect(await screen.focus()).toBe('Pause');
  await train.waitFor();
  expect(await screen.focus()).toBe('Train');
});
