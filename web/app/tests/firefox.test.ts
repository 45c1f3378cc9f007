/** The app in Firefox: photos, a fake camera, a training, and a reload. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { Firefox, firefoxPath } from '../../sartor/tests/firefox.js';
import { HOOK_TIMEOUT, Host, makeFiles } from './site.js';

const path = firefoxPath(); // firefox.test.ts of the library states what did not run
const FAKE_CAMERA = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
};
let firefox: Firefox;
let host: Host;

beforeAll(async () => {
  if (path !== undefined) {
    host = new Host(makeFiles().site);
    await host.start();
    firefox = await Firefox.start(path, FAKE_CAMERA);
  }
}, HOOK_TIMEOUT);

afterAll(async () => {
  await firefox?.close();
  await host?.stop();
});

it.skipIf(path === undefined)('learns from photos and the camera, and keeps it', async () => {
  await firefox.open(host.url);
  await waitFor('.speed-badge', /frames\/s/); // of the camera
  await firefox.evaluate(addPhotos, '.card[aria-label="Class 1"]');
  await waitFor('.card[aria-label="Class 1"] .count-number', /^3$/);
  await firefox.evaluate(press, '.card[aria-label="Class 2"] .hold');
  await waitFor('.card[aria-label="Class 2"] .count-number', /^[1-9]/);
  await firefox.evaluate(release, '.card[aria-label="Class 2"] .hold');
  await waitFor('.verdict', /Class 2/);
  await firefox.evaluate(click, '.training-bar button');
  await waitFor('.results', /Trained on \d+ samples/);

  await firefox.open(host.url);
  await waitFor('.results', /Trained on \d+ samples/);
  await waitFor('.card[aria-label="Class 1"] .count-number', /^3$/);
  await waitFor('.verdict', /Class 2/);
  expect(await firefox.evaluate(async () => crossOriginIsolated)).toBe(true); // several threads
});

/** Wait until an element has a text. */
async function waitFor(selector: string, text: RegExp): Promise<void> {
  const read = () => firefox.evaluate(textOf, selector);
  await expect.poll(read, { timeout: 60_000, interval: 200 }).toMatch(text);
}

// These functions run in the page.

async function textOf(selector: string): Promise<string> {
  return document.querySelector(selector)?.textContent ?? '';
}

async function click(selector: string): Promise<void> {
  document.querySelector<HTMLElement>(selector)?.click();
}

async function press(selector: string): Promise<void> {
  const event = new KeyboardEvent('keydown', { key: ' ', bubbles: true });
  document.querySelector(selector)?.dispatchEvent(event);
}

async function release(selector: string): Promise<void> {
  const event = new KeyboardEvent('keyup', { key: ' ', bubbles: true });
  document.querySelector(selector)?.dispatchEvent(event);
}

/** Choose three photos in the file input of a class. */
async function addPhotos(selector: string): Promise<void> {
  const data = new DataTransfer();
  for (const color of ['#d01020', '#c02010', '#e01030']) {
    const canvas = new OffscreenCanvas(64, 64);
    const drawing = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    drawing.fillStyle = color;
    drawing.fillRect(0, 0, 64, 64);
    data.items.add(new File([await canvas.convertToBlob()], `${color}.png`, { type: 'image/png' }));
  }
  const input = document.querySelector<HTMLInputElement>(`${selector} input[type=file]`);
  if (input !== null) {
    input.files = data.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  }
}
