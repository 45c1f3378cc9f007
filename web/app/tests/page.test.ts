/** The app without photos: files, tabs, keys, cameras that fail, requests, accessibility. */

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Files, HOOK_TIMEOUT, Host, makeFiles, openBrowser, Screen } from './site.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

let files: Files;
let host: Host;
const browsers: Browser[] = [];
let screen: Screen;

beforeAll(async () => {
  files = makeFiles();
  host = new Host(files.site);
  await host.start();
  browsers.push(await openBrowser('pattern', ''), await openBrowser('none', ''));
}, HOOK_TIMEOUT);

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await host?.stop();
});

afterEach(async () => {
  await screen?.context.close();
});

/** Open the app in a new profile. */
async function open(permissions = ['camera'], browser = browsers[0]): Promise<Screen> {
  screen = await Screen.open(browser as Browser, host.url, permissions);
  return screen;
}

/** Return a photo of one color as a PNG. */
function photo(color: string): Promise<Uint8Array> {
  return screen.page.evaluate(async (fill) => {
    const canvas = new OffscreenCanvas(64, 64);
    const drawing = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    drawing.fillStyle = fill;
    drawing.fillRect(0, 0, 64, 64);
    const blob = await canvas.convertToBlob();
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, color) as unknown as Promise<Uint8Array>;
}

/** Return the violations that axe finds. */
async function violations(): Promise<string[]> {
  await screen.page.evaluate(AXE);
  return screen.page.evaluate(async () => {
    const axe = (window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe;
    interface Violation {
      id: string;
      nodes: { html: string; failureSummary: string }[];
    }
    const result = await axe.run();
    return result.violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`);
  });
}

it('sends no request to another origin, and its policy refuses them', async () => {
  await open(['camera']);
  await screen.opened(); // the page reloads itself once
  const urls: string[] = [];
  screen.context.on('request', (request) => urls.push(`${request.method()} ${request.url()}`));
  await screen.page.reload();
  await screen.ready();
  const refused = await screen.page.evaluate(async () => {
    const violation = new Promise((resolve) => {
      document.addEventListener('securitypolicyviolation', (event) => resolve(event.blockedURI));
    });
    fetch('https://example.com/').catch(() => {});
    return violation;
  });
  expect(refused).toContain('example.com');
  const own = urls.filter(
    (url) => url.startsWith(`GET ${host.url}`) || url.startsWith('GET blob:'),
  );
  expect(urls.filter((url) => !own.includes(url) && !url.includes('example.com'))).toEqual([]);
  expect(own.length).toBeGreaterThan(3);
});

it('records while a key is held, and a second for the click of a screen reader', async () => {
  await open();
  await screen.ready();
  await screen.page.keyboard.down('2');
  await screen.page.locator('.recording-badge').waitFor();
  await screen.page.waitForFunction(
    () => Number(document.querySelectorAll('.count-number')[1]?.textContent) >= 2,
  );
  await screen.page.keyboard.up('2');
  await screen.page.locator('.recording-badge').waitFor({ state: 'detached' });
  const before = await screen.samples('Class 1');
  await screen.page.evaluate(() => document.querySelector<HTMLElement>('.hold')?.click());
  await screen.page.waitForFunction(
    () => Number(document.querySelector('.count-number')?.textContent) >= 1,
  );
  await screen.page.locator('.recording-badge').waitFor({ state: 'detached' });
  expect(await screen.samples('Class 1')).toBeGreaterThan(before);
  await screen.page.keyboard.down('3');
  await screen.page.locator('.recording-badge').waitFor();
  await screen.page.evaluate(() => dispatchEvent(new Event('blur'))); // another window gets the keyup
  await screen.page.locator('.recording-badge').waitFor({ state: 'detached' });
});

it('switches to the other camera, and remembers it', async () => {
  await open();
  await screen.ready();
  const first = await cameraName();
  await screen.page.getByRole('button', { name: 'Use the next camera' }).click();
  await screen.page.waitForFunction((name) => {
    const stream = document.querySelector('video')?.srcObject as MediaStream | null;
    return ![name, undefined].includes(stream?.getVideoTracks()[0]?.label);
  }, first);
  const second = await cameraName();
  await screen.page.reload();
  await screen.ready();
  expect(await cameraName()).toBe(second);
});

/** Return the name of the camera that the page shows. */
function cameraName(): Promise<string | undefined> {
  return screen.page.evaluate(() => {
    const stream = document.querySelector('video')?.srcObject as MediaStream | null;
    return stream?.getVideoTracks()[0]?.label;
  });
}

it('adds, renames and deletes classes, up to the capacity', async () => {
  await open();
  await screen.opened();
  const add = screen.page.getByRole('button', { name: /Add a class/ });
  for (let number = 5; number <= 12; number += 1) {
    await add.click();
    await screen.card(`Class ${number}`).waitFor();
  }
  await add.waitFor({ state: 'detached' });
  await screen.rename('Class 12', 'Cup');
  await screen.page.getByRole('button', { name: 'Samples of Class 11' }).click();
  await screen.page.getByRole('button', { name: 'Delete the class' }).click();
  await screen.page.getByRole('button', { name: 'Delete for good' }).click();
  await screen.card('Class 11').waitFor({ state: 'detached' });
  await screen.page.reload();
  await screen.opened();
  const names = await screen.page.locator('.class-name').evaluateAll((inputs) => {
    return inputs.map((input) => (input as HTMLInputElement).value);
  });
  expect(names).toEqual([...Array.from({ length: 10 }, (_, i) => `Class ${i + 1}`), 'Cup']);
});

it('states why a file cannot be read, and changes nothing', async () => {
  await open();
  await screen.opened();
  const wrong: readonly [string, string][] = [
    ['notes.txt', 'cannot be read'],
    ['model.tflite', 'model.tflite'],
    ['project.sartor', 'not a project'],
    ['weights.safetensors', 'weights.safetensors'],
    ['photo.jpg', 'not an image'],
  ];
  for (const [name, message] of wrong) {
    await screen.drop(name, '', new TextEncoder().encode('this is a text'));
    await screen.page.getByRole('alert').filter({ hasText: message }).waitFor();
    await screen.page.getByRole('button', { name: 'Dismiss' }).first().click();
  }
  expect(await screen.page.locator('.card').count()).toBe(4);
});

it('learns from photos that are dropped, exports them, and imports the project', async () => {
  await open();
  await screen.opened();
  for (const [i, color] of ['#d01020', '#1020d0'].entries()) {
    const target = `.card[aria-label="Class ${i + 1}"] .hold`;
    await screen.drop(`${color}.png`, 'image/png', await photo(color), target);
    await screen.page.waitForFunction(
      (n) => document.querySelectorAll('.count-number')[n]?.textContent === '1',
      i,
    );
  }
  await screen.drop('question.png', 'image/png', await photo('#2030c0'));
  await screen.verdict('Class 2');

  await screen.page.getByRole('button', { name: 'Project' }).click();
  const project = await save('Project');
  const model = await save('Model');
  expect((await save('Checkpoint')).length).toBeLessThan(model.length);
  const classifier = await save('Plain classifier');
  expect(Buffer.from(classifier).includes('Class 1\nClass 2')).toBe(true); // its labels
  await screen.page.keyboard.press('Escape');
  const questions: string[] = [];
  screen.page.once('dialog', (dialog) => {
    questions.push(dialog.message());
    void dialog.dismiss();
  });
  await upload('mine.sartor', project);
  await expect.poll(() => questions).toEqual([expect.stringContaining('replaces all samples')]);
  expect(await screen.samples('Class 2')).toBe(1);
  await screen.page.getByRole('button', { name: 'Project', exact: true }).click();
  await screen.page.getByRole('button', { name: 'New project' }).click();
  await screen.page.getByRole('button', { name: /Delete all/ }).click();
  await screen.page.waitForFunction(() => {
    const counts = [...document.querySelectorAll('.count-number')];
    return counts.length === 4 && counts.every(({ textContent }) => textContent === '0');
  });
  await upload('mine.sartor', project);
  await screen.page.getByText('mine.sartor is loaded').waitFor();
  expect(await screen.samples('Class 1')).toBe(1);

  await upload('mine.tflite', model);
  await screen.page.getByText('mine.tflite is open with its own classes').waitFor();
  expect(await screen.page.locator('.card').count()).toBe(2);
  await screen.drop('question.png', 'image/png', await photo('#2030c0'));
  await screen.verdict('Class 2'); // without any sample
  expect(await screen.page.getByText('No model is open').count()).toBe(0);
  await screen.page.reload();
  await screen.opened();
  expect(await screen.page.locator('.card').count()).toBe(2);
});

/** Save a file by the menu, which is open, and return its content. */
async function save(title: string): Promise<Uint8Array> {
  const [download] = await Promise.all([
    screen.page.waitForEvent('download'),
    screen.page.getByRole('button', { name: new RegExp(`^${title} `) }).click(),
  ]);
  return new Uint8Array(readFileSync(await download.path()));
}

/** Open a file by the menu. */
async function upload(name: string, content: Uint8Array): Promise<void> {
  await screen.page.getByRole('button', { name: 'Project', exact: true }).click();
  const [chooser] = await Promise.all([
    screen.page.waitForEvent('filechooser'),
    screen.page.getByRole('button', { name: /Open a project/ }).click(),
  ]);
  await chooser.setFiles([{ name, mimeType: '', buffer: Buffer.from(content) }]);
}

it('moves the samples to another base, and opens a project with its own', async () => {
  await open();
  await screen.opened();
  const target = '.card[aria-label="Class 3"] .hold';
  await screen.drop('red.png', 'image/png', await photo('#d01020'), target);
  await screen.page.waitForFunction(
    () => document.querySelectorAll('.count-number')[2]?.textContent === '1',
  );
  await screen.page.getByRole('button', { name: 'Project' }).click();
  await screen.page.getByRole('radio', { name: /128 x 128/ }).click();
  await screen.page.getByText('128 x 128 pixels is open').waitFor();
  await screen.page.keyboard.press('Escape');
  expect(await screen.samples('Class 3')).toBe(1);

  await screen.page.getByRole('button', { name: 'Project' }).click();
  const project = await save('Project');
  await screen.page.keyboard.press('Escape');
  const [base = ''] = readdirSync(join(files.site, 'bases')).filter((name) => /160/.test(name));
  await upload('own.tflite', readFileSync(join(files.site, 'bases', base)));
  await screen.page.getByText('own.tflite is open').waitFor();
  expect(await screen.samples('Class 3')).toBe(1);
  screen.page.once('dialog', (dialog) => void dialog.accept());
  await upload('small.sartor', project);
  await screen.page.getByText('small.sartor is loaded, with its own base').waitFor();
  expect(await screen.samples('Class 3')).toBe(1);
});

it('lets one tab use the project, and gives it to another one', async () => {
  await open();
  await screen.opened();
  const second = await Screen.openTab(screen.context, host.url);
  await second.page.getByText('Open in another tab').waitFor();
  await second.page.getByRole('button', { name: 'Use it here' }).click();
  await second.opened();
  await screen.page.getByText('Open in another tab').waitFor();
});

describe('a camera that fails', () => {
  it('states that there is none, and predicts photos', async () => {
    await open(['camera'], browsers[1]);
    await screen.page.getByRole('heading', { name: 'No camera' }).waitFor();
    await screen.opened();
    const target = '.card[aria-label="Class 1"] .hold';
    await screen.drop('red.png', 'image/png', await photo('#d01020'), target);
    await screen.page.waitForFunction(
      () => document.querySelector('.count-number')?.textContent === '1',
    );
    await screen.drop('question.png', 'image/png', await photo('#c02030'));
    await screen.verdict('Class 1');
  });

  it('states that it is blocked', async () => {
    await open([]);
    await screen.page.getByRole('heading', { name: 'The camera is blocked' }).waitFor();
  });

  it('states that it was disconnected, and starts it again', async () => {
    await open();
    await screen.ready();
    await screen.page.evaluate(() => {
      const stream = document.querySelector('video')?.srcObject as MediaStream;
      stream.getVideoTracks()[0]?.dispatchEvent(new Event('ended'));
    });
    await screen.page.getByRole('heading', { name: 'The camera was disconnected' }).waitFor();
    await screen.page.getByRole('button', { name: 'Start the camera' }).click();
    await screen.ready();
  });
});

it('states that the storage is full', async () => {
  await open();
  await screen.ready();
  const session = await screen.context.newCDPSession(screen.page);
  const origin = new URL(host.url).origin;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
  await screen.page.keyboard.down('1');
  await screen.page.getByRole('alert').filter({ hasText: 'full' }).waitFor();
  await screen.page.keyboard.up('1');
});

describe('accessibility', () => {
  for (const scheme of ['light', 'dark'] as const) {
    it(`has no violation in ${scheme} colors: page, samples, menu, message`, async () => {
      await open();
      await screen.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      await screen.ready();
      await screen.page.keyboard.down('1');
      await screen.page.waitForFunction(
        () => Number(document.querySelector('.count-number')?.textContent) >= 2,
      );
      await screen.page.keyboard.up('1');
      await screen.drop('notes.txt', '', new Uint8Array(3));
      await screen.page.getByRole('alert').waitFor();
      expect(await violations()).toEqual([]);
      await screen.page.getByRole('button', { name: 'Samples of Class 1' }).click();
      await screen.page.locator('.gallery img').first().waitFor();
      expect(await violations()).toEqual([]);
      await screen.page.keyboard.press('Escape');
      await screen.page.getByRole('button', { name: 'Project' }).click();
      expect(await violations()).toEqual([]);
    });
  }
});

it('is a package of files that a phone can install', () => {
  const manifest = JSON.parse(readFileSync(join(files.site, 'manifest.webmanifest'), 'utf8'));
  for (const { src } of manifest.icons) {
    expect(readFileSync(join(files.site, src)).length).toBeGreaterThan(100);
  }
});
