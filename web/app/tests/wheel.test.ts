/** The wheel of the Python package, which contains the built app. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { repository } from '../../contract/tests/browser.js';
import { HOOK_TIMEOUT, makeFiles } from './site.js';

const PARTS = ['src', 'pyproject.toml', 'README.md', 'LICENSE', 'NOTICE', '.gitignore'];
const MARK = 'mark.txt'; // only the app in the wheel has it

let app: string;
let server: ChildProcess | undefined;
let url: string;

beforeAll(async () => {
  app = makeFiles().app;
  const folder = inject('cameraFolder');
  const unpacked = unpack(makeWheel(join(folder, 'project'), folder), join(folder, 'unpacked'));
  server = spawn('python', ['-m', 'sartor', 'camera', '--port', '0', '--no-browser'], {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: unpacked },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  url = await addressOf(server);
}, HOOK_TIMEOUT);

afterAll(() => {
  server?.kill();
});

/** Copy the Python package with the built app, and return the path of its wheel. */
function makeWheel(project: string, folder: string): string {
  for (const part of PARTS) {
    cpSync(repository(part), join(project, part), {
      recursive: true,
      filter: (path) => !['__pycache__', 'dist'].includes(basename(path)),
    });
  }
  const target = join(project, 'src/sartor/camera/dist');
  cpSync(app, target, { recursive: true });
  writeFileSync(join(target, MARK), 'in the wheel');
  const options = ['--no-deps', '--quiet', '--wheel-dir', folder];
  execFileSync('python', ['-m', 'pip', 'wheel', ...options, project]);
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.whl')) as string);
}

function unpack(wheel: string, folder: string): string {
  execFileSync('python', ['-m', 'zipfile', '-e', wheel, folder]);
  return folder;
}

/** Return the address that `sartor camera` prints. */
function addressOf({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stdout?.on('data', (part) => {
      text += part;
      const [address] = /http:\/\/\S+/.exec(text) ?? [];
      if (address !== undefined) {
        resolve(address);
      }
    });
    stdout?.on('end', () => reject(new Error(`sartor camera has ended: ${text}`)));
  });
}

it('serves all files of the app, and bases', async () => {
  expect(await (await fetch(url + MARK)).text()).toBe('in the wheel');
  const files = readdirSync(app, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    const response = await fetch(url + path.slice(app.length + 1));
    expect(Buffer.from(await response.arrayBuffer()).equals(readFileSync(path)), path).toBe(true);
  }
  const [base] = await (await fetch(`${url}bases/bases.json`)).json();
  expect((await fetch(`${url}bases/${base.file}`)).status).toBe(200);
});
