/** Compile the kernel of the resizer into a TypeScript file: `npm run kernel -w sartor`. */

import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import wabt from 'wabt';

const NAME = 'resize_kernel.wat';
const FOLDER = new URL('../src/images/', import.meta.url);

const { parseWat } = await wabt();
const module = parseWat(NAME, readFileSync(new URL(NAME, FOLDER), 'utf8'), { simd: true });
module.validate();
const code = Buffer.from(module.toBinary({}).buffer).toString('base64');
writeFileSync(
  argv[2] ?? new URL('resize_kernel.ts', FOLDER),
  `/** ${NAME}, compiled by \`npm run kernel -w sartor\`. Do not edit. */

export const KERNEL =
  '${code}';
`,
);
