/** The page of `examples/` trains a file without Sartor. */

import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import type { ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FOLDER_URLS, filesOf, openBrowser, repository, serve, urlOf } from './browser.js';

// The page does not support several inputs or features, or a weight for each output; LiteRT.js does
// not support variable tensors.
const UNSUPPORTED = /^(two_|mlp_|huber_|squared_|multi_|recurrent)/;
const MODELS = filesOf('.tflite').filter(({ name }) => !UNSUPPORTED.test(name));

let server: ViteDevServer;
let browser: Awaited<ReturnType<typeof openBrowser>>;

beforeAll(async () => {
  server = await serve({
    '/examples/node_modules/': repository('web/node_modules'),
    '/examples/': repository('examples'),
    ...FOLDER_URLS,
  });
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

it.each(MODELS)('trains $name on photos and shows falling losses', async ({ name, url }) => {
  const page = await browser.context.newPage();
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(`${urlOf(server)}examples/train_in_browser.html?model=${url}`);
  await page.waitForFunction(() => document.querySelector('button')?.onclick);
  const [first, second] = await page.locator('input').all();
  await first?.setInputFiles([await photo(page, '#200000'), await photo(page, '#400808')]);
  await second?.setInputFiles([await photo(page, '#e0ffff'), await photo(page, '#c0f0ff')]);
  await page.click('button');
  await page.waitForFunction(() => document.querySelector('pre')?.textContent.includes('step 19'));
  const text = (await page.textContent('pre')) ?? '';
  const losses = [...text.matchAll(/loss ([\d.]+)/g)].map(([, loss]) => Number(loss));
  expect(errors).toEqual([]);
  expect(losses).toHaveLength(20);
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) * 0.9);
  console.log(`${name}: loss ${losses[0]} → ${losses.at(-1)}`);
  await page.close();
});

it('does not use Sartor', () => {
  const text = readFileSync(repository('examples/train_in_browser.html'), 'utf8');
  const imports = [...text.matchAll(/from '([^']+)'|": "([^"]+)"|src="([^"]+)"/g)];
  expect(imports).toHaveLength(3);
  for (const [line] of imports) {
    expect(line).toContain('@litertjs/');
  }
});

/** Return an image of one colour. */
async function photo(page: Page, colour: string) {
  const url = await page.evaluate((fill) => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    if (context) {
      context.fillStyle = fill;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    return canvas.toDataURL('image/png');
  }, colour);
  const buffer = Buffer.from(url.split(',')[1] ?? '', 'base64');
  return { name: `${colour}.png`, mimeType: 'image/png', buffer };
}
