/** float16 numbers as 16 bits. */

const FLOAT = new Float32Array(1);
const BITS = new Uint32Array(FLOAT.buffer);
const SMALLEST_STEP = 2 ** -24;

/** Return the bits of a number as float16: to nearest, ties to even; infinite if too large. */
export function toHalf(value: number): number {
  FLOAT[0] = value;
  const bits = BITS[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) {
    return sign | 0x7e00; // NaN
  }
  if (size >= 0x477ff000) {
    return sign | 0x7c00; // 65,520 or more
  }
  if (size < 0x38800000) {
    // Below 2⁻¹⁴, halves are multiples of 2⁻²⁴.
    return sign | roundToEven(Math.abs(FLOAT[0] as number) * 2 ** 24);
  }
  const rest = size & 0x1fff;
  const short = (size >>> 13) - (112 << 10);
  const isAbove = rest > 0x1000 || (rest === 0x1000 && (short & 1) === 1);
  return sign | (short + (isAbove ? 1 : 0));
}

/** Return the number of the bits of a float16. */
export function fromHalf(bits: number): number {
  const sign = (bits & 0x8000) << 16;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) {
    return (sign === 0 ? fraction : -fraction) * SMALLEST_STEP;
  }
  const high = exponent === 31 ? 0x7f800000 : (exponent + 112) << 23;
  BITS[0] = sign | high | (fraction << 13);
  return FLOAT[0] as number;
}

/** Return the nearest integer; of two, the even one. */
export function roundToEven(value: number): number {
  const lower = Math.floor(value);
  const rest = value - lower;
  if (rest === 0.5) {
    return lower % 2 === 0 ? lower : lower + 1;
  }
  return rest > 0.5 ? lower + 1 : lower;
}
