/** A page in headless Chromium, and a server of its files. */

import { execFileSync } from 'node:child_process';
import { createReadStream, readdirSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, extname, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium } from 'playwright-core';
import { type Connect, createServer, type ViteDevServer } from 'vite';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Return the path of a file or folder of this repository. */
export function repository(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** The folders of vectors and models: the committed ones, and those of `$CONTRACT_VECTORS`. */
export const FOLDERS = [
  repository('contract/cases'),
  ...(process.env.CONTRACT_VECTORS ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => resolve(folder)),
];

/** Return the files of `FOLDERS` with an extension, with their URLs. */
export function filesOf(ending: string): { name: string; url: string }[] {
  return FOLDERS.flatMap((folder, i) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending))
      .map((name) => ({ name, url: `/vectors/${i}/${name}` })),
  );
}

/** URL prefix → folder, for `FOLDERS`. */
export const FOLDER_URLS = Object.fromEntries(
  FOLDERS.map((folder, i) => [`/vectors/${i}/`, folder] as const),
);

/**
 * Start a server of pages, and of folders.
 *
 * @param folders - URL prefix → folder.
 * @param root - folder of the pages. Default: this package.
 * @param headers - headers of every response. Default: none.
 * @param others - URL prefix → headers of a folder. Default: `headers`.
 */
export async function serve(
  folders: Readonly<Record<string, string>>,
  root = repository('web/contract'),
  headers: Readonly<Record<string, string>> = {},
  others: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): Promise<ViteDevServer> {
  const server = await createServer({
    configFile: false,
    root,
    optimizeDeps: { exclude: ['@sqlite.org/sqlite-wasm'] },
    logLevel: 'error',
    server: {
      headers,
      host: '127.0.0.1',
      port: 0,
      fs: { allow: [repository('.')] },
      hmr: false,
      watch: null, // a page keeps its modules if a file is edited
    },
    plugins: [
      {
        name: 'folders',
        configureServer: ({ middlewares }) => {
          for (const [prefix, folder] of Object.entries(folders)) {
            middlewares.use(prefix, files(folder, others[prefix] ?? headers));
          }
        },
      },
    ],
  });
  return server.listen();
}

/** Return the URL of a server, with a slash at the end. */
export function urlOf(server: ViteDevServer): string {
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) {
    throw new Error('the server is not listening');
  }
  return url;
}

/** Start Chromium with a temporary profile; `close` removes it. */
export async function openBrowser(): Promise<{
  context: BrowserContext;
  close: () => Promise<void>;
}> {
  const profile = await mkdtemp(join(tmpdir(), 'sartor-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: FLAGS,
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { context, close };
}

/** Return `$CHROMIUM`, or the path of the installed Chromium. */
export function chromiumPath(): string {
  if (process.env.CHROMIUM) {
    return process.env.CHROMIUM;
  }
  const names = 'command -v chromium || command -v chromium-browser || command -v google-chrome';
  try {
    return execFileSync('sh', ['-c', names], { encoding: 'utf8' }).trim();
  } catch {
    throw new Error(
      'Chromium is missing: install it (Debian: chromium), or set CHROMIUM to its path',
    );
  }
}

function files(
  folder: string,
  headers: Readonly<Record<string, string>>,
): Connect.NextHandleFunction {
  return async (request, response, next) => {
    const path = join(
      folder,
      normalize(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '')),
    );
    const status = await stat(path).catch(() => undefined);
    if (!status?.isFile()) {
      next();
      return;
    }
    response.setHeaders(new Map(Object.entries(headers)));
    response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
    response.setHeader('Content-Length', status.size);
    createReadStream(path).pipe(response);
  };
}
