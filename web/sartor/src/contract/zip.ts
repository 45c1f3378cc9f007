/** ZIP archives of uncompressed files: behind a model, and projects. */

import { type Bytes, concatenate, decodeText, encodeText } from './bytes.js';
import { crc32 } from './crc32.js';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const SIZES = { [LOCAL]: 30, [CENTRAL]: 46, [END]: 22 } as const; // bytes of a record
const LONGEST_COMMENT = 0xffff;
const DATE = 0x21; // 1980-01-01, the earliest date of a ZIP
const UTF8 = 0x800; // flag: the name is in UTF-8
const [STORED, DEFLATED] = [0, 8];

/** A problem of an archive, in words. */
export class ZipError extends Error {}

/** A file of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Start of the entry in the archive, in bytes. */
  readonly start: number;
  /** Whether the content is compressed. */
  readonly compressed: boolean;
  /** Return the content, after its checksum was compared; throws ZipError if it differs. */
  read(): Promise<Bytes>;
}

/**
 * Return the files of an archive, which may follow other content.
 *
 * @throws ZipError if there is no archive, or it is damaged, encrypted or above 4 GB.
 */
export function readZip(archive: Bytes): ZipEntry[] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = endRecord(view);
  const [count, size, offset] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  const before = end - size - offset; // bytes before the archive, if its offsets do not count them
  const entries: ZipEntry[] = [];
  let at = end - size;
  for (let i = 0; i < count; i += 1) {
    if (before < 0 || at < 0 || at + SIZES[CENTRAL] > end || view.getUint32(at, true) !== CENTRAL) {
      throw new ZipError('the list of its files is damaged');
    }
    entries.push(readEntry(archive, view, at, before));
    at +=
      SIZES[CENTRAL] + [28, 30, 32].reduce((sum, each) => sum + view.getUint16(at + each, true), 0);
  }
  return entries;
}

/**
 * Return an archive of files, in parts.
 *
 * @param files - name → content, in their order.
 * @param before - number of bytes that precede the archive in its file. Default: 0.
 */
export function zipParts(files: ReadonlyMap<string, Uint8Array>, before = 0): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const list: Uint8Array[] = [];
  let at = before;
  for (const [name, content] of files) {
    const [local, central] = headers(name, content, at);
    parts.push(local, content);
    list.push(central);
    at += local.length + content.length;
  }
  const size = list.reduce((sum, { length }) => sum + length, 0);
  return [...parts, ...list, endOf(files.size, size, at)];
}

function endRecord(view: DataView): number {
  const first = Math.max(0, view.byteLength - SIZES[END] - LONGEST_COMMENT);
  for (let at = view.byteLength - SIZES[END]; at >= first; at -= 1) {
    if (view.getUint32(at, true) === END) {
      return at;
    }
  }
  throw new ZipError('it has no ZIP archive at its end');
}

function readEntry(archive: Bytes, view: DataView, at: number, before: number): ZipEntry {
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  const crc = view.getUint32(at + 16, true);
  const [packed, size] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
  const name = text(archive.subarray(at + SIZES[CENTRAL]), view.getUint16(at + 28, true));
  const start = before + view.getUint32(at + 42, true);
  if (flags & 1 || (method !== STORED && method !== DEFLATED)) {
    throw new ZipError(`${name} is encrypted, or compressed with method ${method}`);
  }
  if (start + SIZES[LOCAL] > archive.length || view.getUint32(start, true) !== LOCAL) {
    throw new ZipError(`${name} is not where the list of files says`);
  }
  const lengths = view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  const data = start + SIZES[LOCAL] + lengths;
  const compressed = method === DEFLATED;
  const read = async () => {
    const stored = archive.subarray(data, data + packed);
    const content = compressed ? await inflate(stored, name) : stored;
    if (content.length !== size || crc32(content) !== crc) {
      throw new ZipError(`the checksum of ${name} is that of other content`);
    }
    return content;
  };
  return { name, start, compressed, read };
}

function text(bytes: Uint8Array, length: number): string {
  try {
    return decodeText(bytes.subarray(0, length));
  } catch {
    throw new ZipError('the name of a file is not in UTF-8');
  }
}

async function inflate(bytes: Bytes, name: string): Promise<Bytes> {
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new ZipError(`${name} cannot be decompressed: ${error}`);
  }
}

/** Return the header of a file, and its entry in the list of files. */
function headers(name: string, content: Uint8Array, start: number): [Bytes, Bytes] {
  const encoded = encodeText(name);
  const flags = encoded.length === name.length ? 0 : UTF8;
  const common = record(26, (view) => {
    view.setUint16(0, 20, true); // version 2.0
    view.setUint16(2, flags, true);
    view.setUint16(8, DATE, true);
    view.setUint32(10, crc32(content), true);
    view.setUint32(14, content.length, true);
    view.setUint32(18, content.length, true);
    view.setUint16(22, encoded.length, true);
  });
  const local = concatenate([signature(LOCAL), common, encoded]);
  const creator = Uint8Array.of(20, 3); // version 2.0, Unix
  const rest = record(14, (view) => {
    view.setUint32(6, 0o600 << 16, true); // rights
    view.setUint32(10, start, true);
  });
  return [local, concatenate([signature(CENTRAL), creator, common, rest, encoded])];
}

function endOf(count: number, size: number, start: number): Bytes {
  return record(SIZES[END], (view) => {
    view.setUint32(0, END, true);
    view.setUint16(8, count, true);
    view.setUint16(10, count, true);
    view.setUint32(12, size, true);
    view.setUint32(16, start, true);
  });
}

function signature(value: number): Bytes {
  return record(4, (view) => view.setUint32(0, value, true));
}

function record(size: number, fill: (view: DataView) => void): Bytes {
  const bytes = new Uint8Array(size);
  fill(new DataView(bytes.buffer));
  return bytes;
}
