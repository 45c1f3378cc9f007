/** The rules of docs/recipe.md that need a model: vectors of `contract/recipe/`, in a browser. */

import type { Page } from 'playwright-core';
import type { ViteDevServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser, repository, serve, urlOf } from '../../contract/tests/browser.js';
import { ALL_RULES } from './recipe/files.js';
import { RULES } from './recipe/rules.js';
import { difference, MODEL_RULES, type ModelRule, needsModel } from './recipe/vectors.js';

// Those of images and of a full store have tests of their own.
const OTHERS = /^(center_box|decode|center_pixels|normalize|augmentations|evict)$/;

let server: ViteDevServer;
let browser: Awaited<ReturnType<typeof openBrowser>>;
let page: Page;

beforeAll(async () => {
  const folders = {
    '/litert/': repository('web/node_modules/@litertjs/core/wasm'),
    '/contract/': repository('contract'),
  };
  server = await serve(folders, repository('web/sartor/tests/recipe'));
  browser = await openBrowser();
  page = await browser.context.newPage();
  await page.goto(urlOf(server));
  await page.waitForFunction(() => 'play' in window);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

describe.each(ALL_RULES.filter(({ rule }) => needsModel(rule)))('$rule', (rule) => {
  it.each(rule.cases)('$about', async ({ inputs, outputs }) => {
    const url = `/contract/recipe/${(inputs as { model: string }).model}`;
    const call = [rule.rule as ModelRule, url, inputs] as const;
    const result = await page.evaluate(([name, model, values]) => {
      return window.play(name, model, values);
    }, call);
    expect(difference(result, outputs)).toBeLessThanOrEqual(rule.tolerance);
  });
});

it('no rule is left out', () => {
  const rules = ALL_RULES.filter(({ rule }) => !OTHERS.test(rule)).map(({ rule }) => rule);
  expect(rules.sort()).toEqual([...Object.keys(RULES), ...MODEL_RULES].sort());
});
