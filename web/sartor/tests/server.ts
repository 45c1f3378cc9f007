/** The server of the page of the tests. */

import type { ViteDevServer } from 'vite';
import { FOLDER_URLS, repository, serve } from '../../contract/tests/browser.js';

/** Name → value. */
export type Headers = Readonly<Record<string, string>>;

const RUNTIME = repository('web/node_modules/@litertjs/core/wasm');

/** Headers of a cross-origin isolated page. */
export const ISOLATED: Headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * Serve the page of the tests, with LiteRT.js in `/litert/` and the vectors of the contract.
 *
 * @param folder - folder of files, at the address `/files/`.
 * @param headers - headers of every response. Default: none.
 * @param runtime - headers of the files of LiteRT.js. Default: `headers`.
 */
export function servePage(
  folder: string,
  headers: Headers = {},
  runtime = headers,
): Promise<ViteDevServer> {
  const folders = { '/litert/': RUNTIME, '/files/': folder, ...FOLDER_URLS };
  return serve(folders, repository('web/sartor/tests/page'), headers, { '/litert/': runtime });
}
