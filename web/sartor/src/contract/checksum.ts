/** Fields as bytes, the same in every language, and their checksums. */

import { type Bytes, concatenate, encodeText } from './bytes.js';
import { crc32 } from './crc32.js';

/** A REAL field. A plain number is an INTEGER. */
export class Real {
  constructor(readonly value: number) {}
}

/** A field: INTEGER, REAL, TEXT, BLOB or NULL. */
export type Field = number | Real | string | Uint8Array | null;

/**
 * Return fields as bytes.
 *
 * An INTEGER is an int64, a REAL a float64, both little-endian. A TEXT in UTF-8 or a BLOB follows
 * its length in bytes, an INTEGER. NULL is the length −1.
 */
export function pack(...fields: readonly Field[]): Bytes {
  return concatenate(fields.flatMap(packField));
}

/** Return the checksum of fields: the CRC-32 of `pack`, 0…2³² − 1. */
export function checksum(...fields: readonly Field[]): number {
  return fields.flatMap(packField).reduce((value, bytes) => crc32(bytes, value), 0);
}

function packField(field: Field): Uint8Array[] {
  if (field === null) {
    return [integer(-1)];
  }
  if (typeof field === 'number') {
    return [integer(field)];
  }
  if (field instanceof Real) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, field.value, true);
    return [bytes];
  }
  const bytes = typeof field === 'string' ? encodeText(field) : field;
  return [integer(bytes.length), bytes];
}

function integer(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return bytes;
}
