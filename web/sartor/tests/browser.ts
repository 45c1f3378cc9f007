/** The page of the tests in headless Chromium, and files of Python beside it. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, inject } from 'vitest';
import { openBrowser } from '../../contract/tests/browser.js';
import type { ModelOptions } from '../src/index.js';

/** A browser on the page of the tests. */
export interface Site {
  /** Folder of files, at the address `/files/`. */
  readonly folder: string;
  /** Open the page in a new tab; errors of the page fail the test. */
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** The tab of a test. */
export class Tab {
  site!: Site;
  page!: Page;
  /** Name of a storage that no other test uses. */
  name = '';

  /** Open a model as `window.model`, in the storage of the test, and return its notes. */
  open(url: string, options: ModelOptions = {}): Promise<readonly string[]> {
    return openModel(this.page, url, { name: this.name, ...options });
  }

  /** Load the page again, without closing the model, as a user does. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.page.waitForFunction(() => 'sartor' in window);
  }
}

/**
 * Open the page for the tests of a file.
 *
 * @param isShared - whether all tests use one page. Default: each has a page of its own.
 */
export function useTab({ isShared = false } = {}): Tab {
  const tab = new Tab();
  let tests = 0;
  beforeAll(async () => {
    tab.site = await openSite();
    tab.page = await tab.site.newPage();
  });
  beforeEach(async () => {
    tests += 1;
    tab.name = `test-${tests}`;
    if (isShared) {
      await tab.page.evaluate(() => window.model?.close());
    } else if (tests > 1) {
      await tab.page.close();
      tab.page = await tab.site.newPage();
    }
  });
  afterAll(() => tab.site?.close());
  return tab;
}

/**
 * Start a browser.
 *
 * @param url - address of the page. Default: that of the server of all tests.
 */
export async function openSite(url = inject('url')): Promise<Site> {
  const browser = await openBrowser();
  return {
    folder: inject('folder'),
    newPage: async () => {
      const page = await browser.context.newPage();
      page.on('pageerror', (error) => console.error('error of the page:', error));
      await page.goto(url);
      await page.waitForFunction(() => 'sartor' in window);
      return page;
    },
    close: () => browser.close(),
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
