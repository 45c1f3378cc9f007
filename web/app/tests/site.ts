/** The built app on a static host without security headers, in Chromium with a fake camera. */

import { execFileSync } from 'node:child_process';
import { cpSync, createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';
import { chromiumPath, repository } from '../../contract/tests/browser.js';

const PHOTOS = repository('../shared/data/clothing');

/** Time in which `makeFiles` ends on a busy machine, in ms. */
export const HOOK_TIMEOUT = 300_000;

/** Whether the photos for the fake camera are there. */
export const HAS_PHOTOS = existsSync(PHOTOS);

if (!HAS_PHOTOS) {
  console.error(`NOT RUN: the tests with photos in the camera, because ${PHOTOS} is missing`);
}

/** Scene of the video → folder of its photos. */
const SCENES = { hat: 'hat', shoes: 'shoes', dress: 'dress' } as const;

declare global {
  interface Window {
    /** Return whether the camera shows a scene. */
    isScene: (scene: Scene) => boolean;
  }
}

/** Name of a scene. */
export type Scene = keyof typeof SCENES;

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** Where the frames of the camera come from; `none` is a computer without camera. */
export type CameraSource = 'photos' | 'pattern' | 'none';

/** The files of the app and of the tests, which all tests share. */
export interface Files {
  /** Folder of the built app, without bases. */
  readonly app: string;
  /** Folder of the site. */
  readonly site: string;
  /** File with the video of the camera; it exists if `HAS_PHOTOS`. */
  readonly video: string;
}

/** Build the app with its bases, and make the video, unless another test file has. */
export function makeFiles(): Files {
  const folder = inject('cameraFolder');
  const [app, site, video] = ['app', 'site', 'video.mjpeg'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  if (existsSync(site)) {
    return { app, site, video };
  }
  execFileSync('npm', ['run', 'build', '--', '--outDir', app, '--logLevel', 'error'], {
    cwd: repository('web/app'),
    env: { ...process.env, NODE_ENV: 'production' }, // that of the tests builds for development
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  execFileSync('sartor', ['camera', '--app', app, '--out', site]);
  if (HAS_PHOTOS) {
    const script = repository('web/app/tests/make_video.py');
    const scenes = Object.values(SCENES).map((name) => join(PHOTOS, 'train', name));
    execFileSync('python', [script, video, ...scenes]);
  }
  return { app, site, video };
}

/**
 * Copy the first photos of some classes into folders.
 *
 * @returns the paths of the folders, whose names are the classes.
 */
export function photoFolders(
  split: 'train' | 'validation',
  classes: readonly string[],
  count: number,
): string[] {
  return classes.map((name) => {
    const target = join(inject('cameraFolder'), split, name);
    for (const photo of readdirSync(join(PHOTOS, split, name))
      .sort()
      .slice(0, count)) {
      cpSync(join(PHOTOS, split, name, photo), join(target, photo));
    }
    return target;
  });
}

/** Return the path of a photo outside the folders for training. */
export function validationPhoto(name: string, index: number): string {
  const folder = join(PHOTOS, 'validation', name);
  return join(folder, readdirSync(folder).sort()[index] as string);
}

/** A static host of a folder; each has an origin, and so a storage, of its own. */
export class Host {
  readonly #server: Server;

  /** @param folder - folder of the site. */
  constructor(folder: string) {
    this.#server = createServer((request, response) => {
      const path = decodeURIComponent((request.url ?? '/').split('?')[0] as string);
      const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
      if (!existsSync(file) || !statSync(file).isFile()) {
        response.writeHead(404).end();
        return;
      }
      response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
      createReadStream(file).pipe(response);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, 'localhost', resolve));
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** End the server, as if the network were gone. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Start Chromium with a fake camera. */
export function openBrowser(camera: CameraSource, video: string): Promise<Browser> {
  const flags = {
    none: [],
    pattern: ['--use-fake-device-for-media-stream=device-count=2'],
    photos: ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${video}`],
  };
  return chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...flags[camera]],
  });
}

/** The app in a tab, as a user sees it. */
export class Screen {
  readonly page: Page;
  readonly context: BrowserContext;

  private constructor(page: Page, context: BrowserContext) {
    this.page = page;
    this.context = context;
  }

  /** Open the app in a new profile, which may use the camera. */
  static async open(browser: Browser, url: string, permissions = ['camera']): Promise<Screen> {
    const viewport = { width: 390, height: 844 };
    const context = await browser.newContext({ permissions, viewport });
    return Screen.openTab(context, url);
  }

  /** Open the app in another tab of a profile. */
  static async openTab(context: BrowserContext, url: string): Promise<Screen> {
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error('error of the page:', error));
    page.on('console', (message) => {
      if (message.text().includes('offline')) {
        console.error('message of the page:', message.text());
      }
    });
    await page.addInitScript(`window.isScene = ${isScene}`);
    await page.goto(url);
    return new Screen(page, context);
  }

  /** Wait until the app predicts frames of the camera. */
  async ready(): Promise<void> {
    await this.page.locator('.speed-badge').waitFor();
  }

  /** Wait until the model is open. */
  async opened(): Promise<void> {
    await this.page.locator('.hold').first().waitFor();
    await this.page.locator('.opening').waitFor({ state: 'detached' });
  }

  /** Wait until the video shows a scene. */
  async scene(scene: Scene): Promise<void> {
    await this.page.waitForFunction((name) => window.isScene(name), scene, { polling: 50 });
  }

  /** Hold the button of a class while the video shows a scene, until it has enough samples. */
  async record(name: string, scene: Scene, count: number): Promise<void> {
    const button = this.page.getByRole('button', { name: `Hold to record ${name}` });
    while ((await this.samples(name)) < count) {
      await this.scene(scene);
      await button.focus();
      await this.page.keyboard.down('Space');
      await this.page.waitForFunction(
        ([source, label, number]) => {
          const card = document.querySelector(`.card[aria-label="${label}"]`);
          const samples = Number(card?.querySelector('.count-number')?.textContent);
          return samples >= number || !window.isScene(source);
        },
        [scene, name, count] as const,
        { polling: 50 },
      );
      await this.page.keyboard.up('Space');
    }
  }

  /** Return the number of training samples of a class. */
  async samples(name: string): Promise<number> {
    const text = await this.card(name).locator('.count-number').textContent();
    return Number(text);
  }

  card(name: string) {
    return this.page.getByRole('listitem', { name, exact: true });
  }

  /** Rename a class. */
  async rename(from: string, to: string): Promise<void> {
    const input = this.page.getByRole('textbox', { name: `Name of class ${from}`, exact: true });
    await input.fill(to);
    await input.press('Enter');
    await this.card(to).waitFor();
  }

  /** Wait for the text of the verdict. */
  async verdict(text: string): Promise<void> {
    await this.page.locator('.verdict', { hasText: text }).waitFor();
  }

  /** Return the confidence of a class in percent. */
  async confidence(name: string): Promise<number> {
    const meter = this.card(name).getByRole('meter');
    return Number(await meter.getAttribute('aria-valuenow'));
  }

  /** Drop files and folders of this computer onto the page. */
  async dropPaths(files: string[]): Promise<void> {
    const session = await this.context.newCDPSession(this.page);
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 100, y: 30, data });
    }
    await session.detach();
  }

  /** Drop a file onto the page, or onto the card of a class. */
  async drop(name: string, type: string, content: Uint8Array, target = '.screen'): Promise<void> {
    await this.page.evaluate(
      ([selector, file, kind, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], file, { type: kind }));
        const event = new DragEvent('drop', { dataTransfer: data, bubbles: true });
        document.querySelector(selector)?.dispatchEvent(event);
      },
      [target, name, type, [...content]] as const,
    );
  }
}

/** Return whether the strip at the edge of the video has the color of a scene; runs in the page. */
function isScene(scene: Scene): boolean {
  const video = document.querySelector('video');
  const drawing = new OffscreenCanvas(1, 1).getContext('2d');
  if (video === null || drawing === null) {
    return false;
  }
  drawing.drawImage(video, 10, 200, 20, 20, 0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = drawing.getImageData(0, 0, 1, 1).data;
  const colors = {
    hat: red > 150 && green < 100 && blue < 100,
    shoes: blue > 150 && red < 100 && green < 100,
    dress: green > 150 && red < 100 && blue < 100,
  };
  return colors[scene];
}
