/** The content of files, as a page gives it. */

/** Bytes of a file: a `File` or `Blob`, an `ArrayBuffer`, or a `Uint8Array`. */
export type FileContent = Blob | ArrayBuffer | Uint8Array;

/** Return whether a source is an address. */
export function isUrl(source: string | URL | FileContent): source is string | URL {
  return typeof source === 'string' || source instanceof URL;
}

/** Return bytes as a worker takes them: a view as a copy of its part of the buffer. */
export function buffer(content: FileContent): Blob | ArrayBuffer {
  return content instanceof Uint8Array ? (content.slice().buffer as ArrayBuffer) : content;
}
