/** Set up all tests once: models of the converter, and a server of the page of the tests. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { repository, urlOf } from '../../contract/tests/browser.js';
import { servePage } from './server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the files at the address `/files/`. */
    folder: string;
    /** Address of the page. */
    url: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'sartor-web-'));
  execFileSync('python', [repository('web/sartor/tests/make_models.py'), folder]);
  const server = await servePage(folder);
  project.provide('folder', folder);
  project.provide('url', urlOf(server));
  return async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  };
}
