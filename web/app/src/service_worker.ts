/**
 * The service worker: the app works offline, and on hosts that send no security headers.
 *
 * It stores the files of the app when it is installed, and other files (the runtime, bases) when
 * they are first used. All answers get the headers of `security.ts`.
 */

import { SECURITY_HEADERS } from './security.js';

/** The part of `ServiceWorkerGlobalScope` that is used; its types exclude those of the DOM. */
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
}

interface WorkerEvent extends Event {
  readonly request: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(response: Promise<Response>): void;
}

const scope = globalThis as unknown as Scope;
const APP_FILES = JSON.parse('__FILES__') as readonly string[]; // the build inserts both
const APP_CACHE = 'sartor-app-__HASH__';
const FILE_CACHE = 'sartor-files';
const BASE_LIST = 'bases/bases.json';

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && request.url.startsWith(scope.registration.scope)) {
    event.respondWith(respond(request));
  }
});

async function install(): Promise<void> {
  const cache = await caches.open(APP_CACHE);
  await cache.addAll(APP_FILES.map((name) => new Request(name, { cache: 'reload' })));
  await scope.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith('sartor-app-') && name !== APP_CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function respond(request: Request): Promise<Response> {
  const app = await caches.open(APP_CACHE);
  const stored = await app.match(request, { ignoreSearch: request.mode === 'navigate' });
  if (stored !== undefined) {
    return secured(stored);
  }
  const files = await caches.open(FILE_CACHE);
  if (new URL(request.url).pathname.endsWith(BASE_LIST)) {
    return secured(await newest(files, request));
  }
  return secured((await files.match(request)) ?? (await load(files, request)));
}

/** Return a file from the network, or the stored one if there is no network. */
async function newest(files: Cache, request: Request): Promise<Response> {
  try {
    return await load(files, request);
  } catch (error) {
    const stored = await files.match(request);
    if (stored === undefined) {
      throw error;
    }
    return stored;
  }
}

/** Return a file from the network, and store it instead of its former version. */
async function load(files: Cache, request: Request): Promise<Response> {
  const response = await fetch(request);
  if (response.status === 200) {
    await files.delete(request, { ignoreSearch: true });
    await files.put(request, response.clone());
  }
  return response;
}

/** Return an answer with the security headers. */
function secured(response: Response): Response {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    headers.set(name, value);
  }
  const { status, statusText, body } = response;
  return new Response(body, { status, statusText, headers });
}
