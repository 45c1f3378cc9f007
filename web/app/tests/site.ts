/** The built app on a static host without security headers, in Chromium with a fake camera. */

import { execFileSync } from 'node:child_process';
import { cpSync, createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
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

/** Folder of the photos of each scene of the video. */
const SCENES = ['hat', 'shoes', 'dress'] as const;

/** Name of a scene. */
export type Scene = (typeof SCENES)[number];

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
    const scenes = SCENES.map((name) => join(PHOTOS, 'train', name));
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
