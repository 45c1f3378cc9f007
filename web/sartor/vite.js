/** The Vite plugin of Sartor: it serves the files of LiteRT.js, and adds them to a build. */

import { createReadStream, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const FILES = ['', '_compat', '_threaded'].flatMap((build) => [
  `litert_wasm${build}_internal.js`,
  `litert_wasm${build}_internal.wasm`,
]);
const TYPES = { js: 'text/javascript', wasm: 'application/wasm' };

/** See vite.d.ts. */
export function sartor({ folder = 'litert/' } = {}) {
  const require = createRequire(import.meta.url);
  const source = join(dirname(require.resolve('@litertjs/core/package.json')), 'wasm');
  let base = '/';
  let headers = {};
  return {
    name: 'sartor',
    config: () => ({
      // Both load files beside their modules, which the optimizer of dependencies would move.
      optimizeDeps: { exclude: ['sartor', '@sqlite.org/sqlite-wasm'] },
      worker: { format: 'es' },
    }),
    configResolved: (config) => {
      base = config.base;
      headers = config.server.headers ?? {}; // a worker of an isolated page needs them too
    },
    configureServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const path = (request.url ?? '').split('?')[0];
        const name = FILES.find((file) => path === `${base}${folder}${file}`);
        if (name === undefined) {
          next();
          return;
        }
        for (const [key, value] of Object.entries(headers)) {
          response.setHeader(key, value);
        }
        response.setHeader('Content-Type', TYPES[name.split('.').pop()]);
        createReadStream(join(source, name)).pipe(response);
      });
    },
    generateBundle() {
      for (const name of FILES) {
        const content = readFileSync(join(source, name));
        this.emitFile({ type: 'asset', fileName: folder + name, source: content });
      }
    },
  };
}
