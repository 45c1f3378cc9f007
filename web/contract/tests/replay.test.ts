import type { Page } from 'playwright-core';
import type { ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TensorJson } from '../src/vectors.js';
import { FOLDER_URLS, filesOf, openBrowser, repository, serve, urlOf } from './browser.js';

// LiteRT.js does not support variable tensors.
const isSupported = ({ name }: { name: string }) => name !== 'recurrent.json';
const CASES = filesOf('.json').filter(isSupported);
const UNSUPPORTED = filesOf('.json').filter((file) => !isSupported(file));
const TOLERANCE = 1e-5;

let server: ViteDevServer;
let browser: Awaited<ReturnType<typeof openBrowser>>;

beforeAll(async () => {
  server = await serve({
    '/litert/': repository('web/node_modules/@litertjs/core/wasm'),
    ...FOLDER_URLS,
  });
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function openPage(wasm: string): Promise<Page> {
  const page = await browser.context.newPage();
  await page.goto(`${urlOf(server)}?wasm=${wasm}`);
  await page.waitForFunction(() => 'replay' in window);
  return page;
}

describe.each([
  { name: 'with relaxed SIMD', wasm: '' },
  { name: 'without relaxed SIMD', wasm: 'litert_wasm_compat_internal.js' },
])('LiteRT.js $name', ({ wasm }) => {
  let page: Page;
  beforeAll(async () => {
    page = await openPage(wasm);
  });
  afterAll(async () => {
    await page?.close();
  });

  it.each(CASES)('returns the outputs of $name', async ({ name, url }) => {
    const outcomes = await page.evaluate((file) => window.replay(file), url);
    const wrong = outcomes.filter((outcome) => !(outcome.difference <= TOLERANCE));
    expect(wrong).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(0);
    const largest = Math.max(...outcomes.map((outcome) => outcome.difference));
    console.log(
      `${name}: ${outcomes.length} calls, largest difference ${largest.toExponential(1)}`,
    );
  });

  it.each(UNSUPPORTED)('does not load the model of $name', async ({ url }) => {
    await expect(page.evaluate((file) => window.replay(file), url)).rejects.toThrow('load model');
  });

  it('reports a difference if a vector is wrong', async () => {
    const url = CASES[0]?.url ?? '';
    await page.route(`**${url}`, async (route) => {
      const response = await route.fetch();
      const file = (await response.json()) as { calls: { outputs: Record<string, TensorJson> }[] };
      for (const tensor of Object.values(file.calls[0]?.outputs ?? {})) {
        Object.assign(tensor, { data: tensor.data.map((value) => value + 1) });
      }
      await route.fulfill({ response, json: file });
    });
    const [first, second] = await page.evaluate((file) => window.replay(file), url);
    expect(first?.difference).toBeCloseTo(1);
    expect(second?.difference).toBeLessThan(TOLERANCE);
  });
});
