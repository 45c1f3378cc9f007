/** Bytes: concatenation, text, hexadecimal digits, hashes. */

import { SartorError } from '../errors.js';

/** Bytes in a buffer that no other thread shares. */
export type Bytes = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();

/** Return a text in UTF-8. */
export function encodeText(text: string): Bytes {
  return ENCODER.encode(text);
}

/**
 * Return the text of bytes in UTF-8.
 *
 * @throws TypeError if they are not UTF-8.
 */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Return bytes one after another. */
export function concatenate(parts: readonly Uint8Array[]): Bytes {
  const result = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** Return the bytes of numbers: little-endian, as every browser stores them. */
export function bytesOf(values: ArrayBufferView): Bytes {
  const { buffer, byteOffset, byteLength } = values;
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Return the float32 numbers of little-endian bytes, as a copy. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  const copy: Bytes = new Uint8Array(bytes);
  return new Float32Array(copy.buffer);
}

/** Return bytes as hexadecimal digits. */
export function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Return the SHA-256 of bytes, 32 bytes.
 *
 * @throws SartorError if the page is not secure, so that the browser offers no hashes.
 */
export async function sha256(bytes: Uint8Array): Promise<Bytes> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new SartorError(
      'the page is not secure, so the browser offers no hashes: open it with https, or from localhost',
    );
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Bytes));
}
