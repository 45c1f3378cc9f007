/** CRC-32, as in ZIP and PNG. */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return value;
});

/**
 * Return the CRC-32 of bytes, 0…2³² − 1.
 *
 * @param bytes - the bytes.
 * @param before - CRC-32 of the bytes before them. Default: 0, none.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  let value = ~before;
  for (let i = 0; i < bytes.length; i += 1) {
    value = (TABLE[(value ^ (bytes[i] as number)) & 255] as number) ^ (value >>> 8);
  }
  return ~value >>> 0;
}
