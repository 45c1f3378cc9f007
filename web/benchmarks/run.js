/**
 * Run benchmarks in headless Chromium: node run.js FOLDER, with the requests as JSON on stdin.
 *
 * A request is `[name, options]`, and has a page of its own. FOLDER is at the address `files/`. The
 * output is a JSON list: the result of each, and the files that its page loaded.
 */

import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import { sartor } from '../sartor/vite.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TFJS = join(HERE, 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out');
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'];

/** Build the page, without the folder `files`. */
async function buildPage(folder) {
  await build({
    root: HERE,
    base: './',
    configFile: false,
    logLevel: 'error',
    mode: 'production',
    plugins: [sartor()],
    build: { outDir: folder, target: 'es2022', emptyOutDir: true, chunkSizeWarningLimit: 4000 },
  });
  cpSync(TFJS, join(folder, 'tfjs'), { recursive: true });
}

/** Serve the page and the files, as an isolated page; note what was loaded. */
function serve(page, files, loaded) {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url.split('?')[0]);
    const file = path.startsWith('/files/')
      ? join(files, path.slice('/files/'.length))
      : join(page, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const content = readFileSync(file);
    if (!path.startsWith('/files/')) {
      loaded.set(path, { bytes: content.length, compressed: gzipSync(content).length });
    }
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.end(content);
  });
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)));
}

async function main(files) {
  const requests = JSON.parse(await text(process.stdin));
  const page = mkdtempSync(join(tmpdir(), 'sartor-bench-'));
  try {
    await buildPage(page);
    process.stdout.write(JSON.stringify(await runAll(requests, page, files)));
  } finally {
    rmSync(page, { recursive: true });
  }
}

/** Run each request in a page of its own. */
async function runAll(requests, page, files) {
  const loaded = new Map();
  const server = await serve(page, files, loaded);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? findChromium(),
    args: ['--no-sandbox', '--disable-quic'],
  });
  const outputs = [];
  try {
    for (const request of requests) {
      loaded.clear();
      const result = await run(browser, server.address().port, request);
      outputs.push({ result, loaded: Object.fromEntries(loaded) });
    }
    return { version: browser.version(), outputs };
  } finally {
    await browser.close();
    server.close();
  }
}

async function run(browser, port, request) {
  const tab = await (await browser.newContext()).newPage();
  tab.on('pageerror', (error) => console.error(error));
  tab.on('console', (line) => line.type() === 'info' && console.error(line.text()));
  await tab.goto(`http://localhost:${port}/`);
  await tab.waitForFunction(() => 'benchmark' in window);
  const result = await tab.evaluate(([name, options]) => window.benchmark(name, options), request);
  await tab.context().close();
  return result;
}

function findChromium() {
  const folders = process.env.PATH.split(':');
  const paths = CHROMIUM.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => existsSync(path));
}

await main(process.argv[2]);
