/** A page with the library in headless Chromium, and files of Python beside it. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { ViteDevServer } from 'vite';
import {
  FOLDER_URLS,
  openBrowser,
  repository,
  serve,
  urlOf,
} from '../../contract/tests/browser.js';
import type { ModelOptions } from '../src/index.js';

/** A browser, a server of the page of the tests, and a folder for files. */
export interface Site {
  /** Folder of files, at the address `/files/`. */
  readonly folder: string;
  /** Open the page in a new tab; errors of the page fail the test. */
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** Headers of a cross-origin isolated page. */
export const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Start a browser and a server.
 *
 * @param headers - headers of every response. Default: none.
 */
export async function openSite(headers: Readonly<Record<string, string>> = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'sartor-web-'));
  execFileSync('python', [repository('web/sartor/tests/make_models.py'), folder]);
  const server: ViteDevServer = await serve(
    {
      '/litert/': repository('web/node_modules/@litertjs/core/wasm'),
      '/files/': folder,
      ...FOLDER_URLS,
    },
    repository('web/sartor/tests/page'),
    headers,
  );
  const browser = await openBrowser();
  return {
    folder,
    newPage: async () => {
      const page = await browser.context.newPage();
      page.on('pageerror', (error) => console.error('error of the page:', error));
      await page.goto(urlOf(server));
      await page.waitForFunction(() => 'sartor' in window);
      return page;
    },
    close: async () => {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Open a model in a page as `window.model`, and return its notes. */
export function openModel(
  page: Page,
  url: string,
  options: ModelOptions,
): Promise<readonly string[]> {
  return page.evaluate(
    async ([address, others]) => {
      window.model = await window.sartor.PersonalModel.open(address, others);
      return window.model.notes;
    },
    [url, options] as const,
  );
}

/** Return the error message of an action in a page; fails if there is none. */
export async function messageOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => new Error('there is no error'),
    (reason: Error) => reason,
  );
  return error.message;
}

/** Write a file of the test site, and return its address. */
export function writeFile(site: Site, name: string, content: Uint8Array): string {
  writeFileSync(join(site.folder, name), content);
  return `/files/${name}`;
}

/** Return the bytes of a file of the test site. */
export function readFile(site: Site, name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(site.folder, name)));
}

/** Call a function in the page that returns bytes, and write them into a file of the site. */
export async function download(
  site: Site,
  page: Page,
  name: string,
  action: () => Promise<Uint8Array | Blob>,
): Promise<string> {
  const [event] = await Promise.all([
    page.waitForEvent('download'),
    page.evaluate(
      async ([source, file]) => {
        const content: Uint8Array | Blob = await new Function(`return (${source})()`)();
        const link = document.createElement('a');
        link.href = URL.createObjectURL(new Blob([content as BlobPart]));
        link.download = file;
        link.click();
      },
      [String(action), name] as const,
    ),
  ]);
  const path = join(site.folder, name);
  await event.saveAs(path);
  return path;
}

/** Run a Python program with Sartor, and return what it prints. */
export function python(program: string, ...args: string[]): string {
  const options = { encoding: 'utf8', maxBuffer: 1 << 26 } as const;
  return execFileSync('python', ['-c', program, ...args], options);
}
