/** A temporary folder that the test files of the app share, so that one of them builds the app. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the folder. */
    cameraFolder: string;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sartor-camera-'));
  project.provide('cameraFolder', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
