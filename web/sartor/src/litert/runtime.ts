/** LiteRT.js, loaded once into the worker. */

import { loadLiteRt, supportsFeature } from '@litertjs/core';
import { SartorError } from '../errors.js';

/** Names of the builds in the folder of the runtime. */
const BUILDS = {
  threads: 'litert_wasm_threaded_internal.js',
  simd: 'litert_wasm_internal.js',
  compatible: 'litert_wasm_compat_internal.js',
} as const;

/** Start of messages of LiteRT that report no error. */
const HARMLESS = /^(INFO|WARNING|VERBOSE|DEBUG):/;

let loading: Promise<void> | undefined;

/**
 * Load LiteRT.js, unless that is done.
 *
 * @param folder - URL of the folder with the files of `@litertjs/core/wasm`, with a slash at its
 *   end.
 * @param threads - whether to use several threads.
 * @throws SartorError if a file cannot be loaded, or threads are not available.
 */
export function loadRuntime(folder: string, threads: boolean): Promise<void> {
  loading ??= load(folder, threads).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(folder: string, threads: boolean): Promise<void> {
  if (threads && !globalThis.crossOriginIsolated) {
    throw new SartorError(
      'several threads need a cross-origin isolated page: send the headers ' +
        'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, ' +
        'or open the model without threads',
    );
  }
  const simd = await supportsFeature('relaxedSimd');
  const build = threads && simd ? BUILDS.threads : simd ? BUILDS.simd : BUILDS.compatible;
  const script = new URL(build, folder).href;
  if (build === BUILDS.threads) {
    await checkWorkerScript(script);
  }
  try {
    await runScript(script, folder);
    await loadLiteRt(script);
  } catch (error) {
    throw new SartorError(
      `the runtime ${script} cannot be loaded: ${(error as Error).message}. Copy the files of ` +
        '@litertjs/core/wasm to this address, or give their address as `runtime`.',
    );
  }
}

/**
 * Check that the browser will run the threads, which are workers of this script.
 *
 * It blocks a worker whose script lacks the header, and LiteRT.js would wait for it without end.
 */
async function checkWorkerScript(script: string): Promise<void> {
  const response = await fetch(script).catch(() => undefined);
  const policy = response?.headers.get('Cross-Origin-Embedder-Policy') ?? 'none';
  if (response?.ok && !/require-corp|credentialless/.test(policy)) {
    throw new SartorError(
      `several threads need ${script} with the header Cross-Origin-Embedder-Policy: require-corp, ` +
        `got ${policy}: send it with all files of the runtime, or open the model without threads`,
    );
  }
}

/**
 * Run the script of a build, which creates a global function for LiteRT.js.
 *
 * LiteRT.js calls `importScripts`, which a module worker lacks. A script that is imported as a module
 * cannot create the function, but passes it to `define`, as to any module loader.
 */
async function runScript(script: string, folder: string): Promise<void> {
  const scope = globalThis as unknown as Record<string, unknown>;
  const define = (_: unknown, factory: () => unknown) => {
    scope.ModuleFactory = factory();
  };
  scope.define = Object.assign(define, { amd: true });
  try {
    await import(/* @vite-ignore */ /* webpackIgnore: true */ script);
  } finally {
    delete scope.define;
  }
  scope.importScripts = () => {};
  scope.Module = {
    locateFile: (name: string) => new URL(name, folder).href,
    mainScriptUrlOrBlob: script,
    print: () => {},
    printErr: (line: string) => {
      if (!HARMLESS.test(line)) {
        console.warn(line);
      }
    },
  };
}
