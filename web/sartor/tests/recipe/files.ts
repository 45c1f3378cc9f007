/** The vector files of the recipe. */

import { readdirSync, readFileSync } from 'node:fs';
import { repository } from '../../../contract/tests/browser.js';
import type { Rule, VectorFile } from './vectors.js';

const FOLDER = repository('contract/recipe');

/** All rules, of all vector files. */
export const ALL_RULES: readonly Rule[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => (JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as VectorFile).rules);
