import type { Plugin } from 'vite';

/** Options of the plugin. */
export interface SartorOptions {
  /** Folder of the files of LiteRT.js in the site, with a slash at its end. Default: `litert/`. */
  readonly folder?: string;
}

/**
 * Create the Vite plugin of Sartor.
 *
 * It serves the files of LiteRT.js in development, adds them to a build, and keeps the modules of
 * Sartor and SQLite as they are, so that their workers and wasm files are there.
 */
export function sartor(options?: SartorOptions): Plugin;
