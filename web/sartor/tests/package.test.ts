/** The package as users get it: packed, installed into a new Vite project, built and opened. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preview } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser, repository } from '../../contract/tests/browser.js';

const PACKAGE = repository('web/sartor');
const README = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
const [EXAMPLE = '', CONFIG = ''] = [...README.matchAll(/```js\n(.*?)```/gs)].map(
  ([, code]) => code,
);

let folder: string;
let close: (() => Promise<void>)[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sartor-package-'));
});

afterAll(async () => {
  for (const each of close) {
    await each();
  }
  rmSync(folder, { recursive: true, force: true });
});

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8' });
}

it('runs the example of the README in a new Vite project', async () => {
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: PACKAGE, stdio: 'pipe' });
  const version = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).version;
  writeProject(`sartor-${version}.tgz`);
  run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline');
  run('npx', 'vite', 'build');

  const server = await preview({ root: folder, configFile: false, preview: { port: 0 } });
  close.push(() => server.close());
  const browser = await openBrowser();
  close = [browser.close, ...close];
  const page = await browser.context.newPage();
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  const requests: string[] = [];
  page.context().on('request', (request) => requests.push(request.url()));
  const url = server.resolvedUrls?.local[0] ?? '';
  await page.goto(url);
  await expect
    .poll(() => errors[0]?.message ?? page.textContent('body'), { timeout: 60_000 })
    .toContain('accuracy');
  expect(await page.textContent('body')).toMatch(/red 0\.\d+, accuracy/);
  expect(requests.filter((each) => !/^(blob|data):/.test(each) && !each.startsWith(url))).toEqual(
    [],
  );
});

/** Write a project with photos of two colors. */
function writeProject(archive: string): void {
  const vite = JSON.parse(readFileSync(repository('web/package.json'), 'utf8')).devDependencies
    .vite;
  const photos = [...Array(12).keys()].map((i) => photo(i % 2 ? 'blue' : 'red', i)).join('\n');
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      private: true,
      type: 'module',
      dependencies: { sartor: `file:${archive}` },
      devDependencies: { vite },
    }),
  );
  writeFileSync(join(folder, 'vite.config.js'), CONFIG);
  writeFileSync(join(folder, 'main.js'), EXAMPLE);
  writeFileSync(
    join(folder, 'index.html'),
    `<!doctype html><meta charset="utf-8"><body>${photos}
     <script type="module" src="main.js"></script></body>`,
  );
  mkdirSync(join(folder, 'public'));
  execFileSync('python', [repository('web/sartor/tests/make_models.py'), folder]);
  copyFileSync(join(folder, 'image.tflite'), join(folder, 'public', 'model.tflite'));
}

function photo(color: string, seed: number): string {
  const shade = 40 + 12 * seed;
  const fill = color === 'red' ? `rgb(200,${shade},60)` : `rgb(60,${shade},200)`;
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' width='40' height='60'><rect width='40' height='60' fill='${fill}'/></svg>`;
  return `<img alt="${color}" src="data:image/svg+xml,${encodeURIComponent(svg)}">`;
}
