/** The content of files, as the worker gets it. */

import type { Bytes } from '../contract/bytes.js';

/** Return the bytes of a file. */
export async function bytesOf(content: Blob | ArrayBuffer): Promise<Bytes> {
  return new Uint8Array(content instanceof Blob ? await content.arrayBuffer() : content);
}
