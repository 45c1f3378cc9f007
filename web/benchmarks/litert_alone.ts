/** LiteRT.js alone: the page's side of its worker. */

import type { Request } from './litert_worker.js';

/** LiteRT.js with some files. */
export class LiteRtAlone {
  readonly #worker = new Worker(new URL('./litert_worker.ts', import.meta.url), { type: 'module' });
  readonly #threads: boolean;

  /** @param threads - whether to use several threads. */
  constructor(threads: boolean) {
    this.#threads = threads;
  }

  /** Load a file. */
  open(url: string): Promise<number> {
    const runtime = absolute('litert/');
    return this.#call({ open: absolute(url), runtime, threads: this.#threads });
  }

  /** Return the mean time of some calls of a signature, in ms. */
  time(url: string, signature: string, calls: number): Promise<number> {
    return this.#call({ time: absolute(url), signature, calls });
  }

  close(): void {
    this.#worker.terminate();
  }

  #call(request: Request): Promise<number> {
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage(request, [port2]);
    return new Promise((resolve, reject) => {
      port1.onmessage = ({ data }) => {
        data.error === undefined ? resolve(data.result) : reject(new Error(data.error));
      };
    });
  }
}

/** Return the URL of a file of the page; the worker has another base. */
function absolute(url: string): string {
  return new URL(url, document.baseURI).href;
}
