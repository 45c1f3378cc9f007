/** A page with the library in headless Chromium, and files of Python beside it. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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

/** A browser, a server of the page of the tests, and a folder for files. */
export interface Site {
  /** Folder of files, at the address `/files/`. */
  readonly folder: string;
  /** Open the page in a new tab; errors of the page fail the test. */
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** Start a browser and a server. */
export async function openSite(): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'sartor-web-'));
  const server: ViteDevServer = await serve(
    {
      '/litert/': repository('web/node_modules/@litertjs/core/wasm'),
      '/files/': folder,
      ...FOLDER_URLS,
    },
    repository('web/sartor/tests/page'),
  );
  const browser = await openBrowser();
  return {
    folder,
    newPage: async () => {
      const page = await browser.context.newPage();
      page.on('console', (message) => console.log(`  [page] ${message.text()}`));
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

/** Run a Python program with Sartor, and return what it prints. */
export function python(program: string, ...args: string[]): string {
  return execFileSync('python', ['-c', program, ...args], { encoding: 'utf8' });
}
