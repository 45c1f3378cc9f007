/** The build of the camera app: a folder that `sartor camera` or any static host can serve. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { sartor } from '../sartor/vite.js';
import { CONTENT_SECURITY_POLICY } from './src/security.js';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const { version } = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('@litertjs/core/package.json'), 'utf8'),
);
const RUNTIME = `litert-${version}/`;
const SERVICE_WORKER = 'service-worker.js';

export default defineConfig({
  root: path('.'),
  base: './',
  define: { RUNTIME: JSON.stringify(RUNTIME) },
  resolve: { alias: { sartor: path('../sartor/src/index.ts') } },
  plugins: [sartor({ folder: RUNTIME }), policy(), fileList()],
  build: {
    outDir: path('../../src/sartor/camera/dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the policy allows no data: URLs
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: path('index.html'), 'service-worker': path('src/service_worker.ts') },
      output: {
        entryFileNames: ({ name }) =>
          name === 'service-worker' ? SERVICE_WORKER : 'assets/[name]-[hash].js',
      },
    },
  },
});

/** Add the content security policy to the page. */
function policy(): Plugin {
  return {
    name: 'policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** Give the service worker the list of the files of the app, and their common hash. */
function fileList(): Plugin {
  return {
    name: 'file-list',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const hash = createHash('sha256');
      const names = Object.keys(bundle)
        .filter((name) => name !== SERVICE_WORKER && !name.startsWith(RUNTIME))
        .sort();
      for (const name of names) {
        const file = bundle[name];
        hash.update(name).update(file?.type === 'chunk' ? file.code : (file?.source ?? ''));
      }
      const worker = bundle[SERVICE_WORKER];
      if (worker?.type !== 'chunk') {
        throw new Error(`the build has no ${SERVICE_WORKER}`);
      }
      const files = ['./', 'manifest.webmanifest', 'icons/icon.svg', ...names];
      worker.code = worker.code
        .replace(/__FILES__/, JSON.stringify(files).replaceAll('"', '\\"'))
        .replace(/__HASH__/, hash.digest('hex').slice(0, 16));
    },
  };
}
