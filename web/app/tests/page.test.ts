/** The app without photos: tabs, cameras that fail, requests, accessibility. */

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Screen } from './screen.js';
import { type Files, HOOK_TIMEOUT, Host, makeFiles, openBrowser } from './site.js';

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
  const longest = 'W'.repeat(60);
  await screen.rename('Class 12', longest);
  await screen.page.getByRole('button', { name: `Samples of ${longest}` }).click();
  const dialog = screen.page.getByRole('dialog');
  expect(await dialog.evaluate((sheet) => sheet.scrollWidth - sheet.clientWidth)).toBe(0);
  await screen.page.keyboard.press('Escape');
  await screen.rename(longest, 'Cup');
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

it('shows the buttons of four classes and of the training on a phone, one beside another', async () => {
  await open();
  await screen.opened();
  const covered = await screen.page.evaluate(() => {
    const buttons = [...document.querySelectorAll('.hold, .training-bar button')];
    return buttons.filter((button) => {
      const { left, right, top, bottom } = button.getBoundingClientRect();
      const points = [top + 4, bottom - 4].map((y) => [(left + right) / 2, y] as const);
      return points.some(([x, y]) => !button.contains(document.elementFromPoint(x, y)));
    }).length;
  });
  expect(await screen.page.locator('.hold').count()).toBe(4);
  expect(covered).toBe(0);
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
    await screen.addPhoto('Class 1', '#d01020');
    await screen.drop('question.png', 'image/png', await screen.photo('#c02030'));
    await screen.verdict('Class 1');
  });

  it('states that it is blocked', async () => {
    await open([]);
    await screen.page.getByRole('heading', { name: 'The camera is blocked' }).waitFor();
  });

  it('states that it was disconnected, and starts it again', async () => {
    await open();
    await screen.ready();
    await screen.addPhoto('Class 1', '#d01020');
    await screen.verdict('Class 1');
    await screen.page.evaluate(() => {
      const stream = document.querySelector('video')?.srcObject as MediaStream;
      stream.getVideoTracks()[0]?.dispatchEvent(new Event('ended'));
    });
    await screen.page.getByRole('heading', { name: 'The camera was disconnected' }).waitFor();
    await screen.page.locator('.verdict.is-hint').waitFor(); // the last verdict is not that of now
    expect(await screen.page.locator('.card.is-best').count()).toBe(0);
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
  const alert = screen.page.getByRole('alert').filter({ hasText: 'full' });
  expect(await alert.textContent()).toBe(
    'The sample was not added. The storage of this browser is full. Delete samples here or data ' +
      'of other sites, and try again.',
  );
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

it('is small: less than 1 MB compressed, without the runtime and the bases', () => {
  const names = readdirSync(files.app, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && !file.parentPath.includes('litert-'))
    .map((file) => join(file.parentPath, file.name));
  const sizes = names.map((name) => gzipSync(readFileSync(name)).length);
  const size = sizes.reduce((sum, each) => sum + each, 0);
  expect(size).toBeGreaterThan(100_000);
  expect(size).toBeLessThan(1_000_000);
});
