/** Features as bytes: the integers of a quantized base, or half precision. */

import {
  type FeatureSpec,
  STORE_FLOAT16,
  STORE_FLOAT32,
  STORE_INTEGER,
} from '../../../../contract/generated/contract.js';
import { volume } from '../data/batches.js';
import { Matrix } from '../data/matrix.js';
import { DataError } from '../errors.js';
import { clamp, norm } from '../numbers.js';
import { fromHalf, roundToEven, toHalf } from './half.js';

const HALF_ERROR = 2 ** -11; // relative error of a normal float16 number

/** Writes a number to bytes, and reads it; both little-endian. */
interface NumberType {
  readonly size: number;
  write(view: DataView, at: number, value: number): void;
  read(view: DataView, at: number): number;
}

const FLOAT16: NumberType = {
  size: 2,
  write: (view, at, value) => view.setUint16(at, toHalf(value), true),
  read: (view, at) => fromHalf(view.getUint16(at, true)),
};
const FLOAT32: NumberType = {
  size: 4,
  write: (view, at, value) => view.setFloat32(at, value, true),
  read: (view, at) => view.getFloat32(at, true),
};

/** Integer type of a features tensor → lowest and largest integer, and its bytes. */
const INTEGERS: Readonly<Record<string, NumberType & { low: number; high: number }>> = {
  int8: {
    size: 1,
    low: -128,
    high: 127,
    write: (view, at, value) => view.setInt8(at, value),
    read: (view, at) => view.getInt8(at),
  },
  uint8: {
    size: 1,
    low: 0,
    high: 255,
    write: (view, at, value) => view.setUint8(at, value),
    read: (view, at) => view.getUint8(at),
  },
  int16: {
    size: 2,
    low: -(2 ** 15),
    high: 2 ** 15 - 1,
    write: (view, at, value) => view.setInt16(at, value, true),
    read: (view, at) => view.getInt16(at, true),
  },
  uint16: {
    size: 2,
    low: 0,
    high: 2 ** 16 - 1,
    write: (view, at, value) => view.setUint16(at, value, true),
    read: (view, at) => view.getUint16(at, true),
  },
  int32: {
    size: 4,
    low: -(2 ** 31),
    high: 2 ** 31 - 1,
    write: (view, at, value) => view.setInt32(at, value, true),
    read: (view, at) => view.getInt32(at, true),
  },
};

/** The features of a sample as bytes. */
export interface EncodedFeatures {
  /** One letter for each features tensor. */
  readonly encoding: string;
  /** One row after another: a sample, then its augmentations. */
  readonly data: Uint8Array;
}

/** Encodes the features of a sample as bytes, and decodes them; see docs/contract.md. */
export class FeatureCodec {
  /** @param specs - descriptions of the features tensors, from the manifest. */
  constructor(private readonly specs: readonly FeatureSpec[]) {}

  /**
   * Return the features of a sample as bytes.
   *
   * @param features - values of each features tensor, a row for the sample and each augmentation.
   * @throws DataError if a tensor has another size, or is not finite.
   */
  encode(features: readonly Matrix[]): EncodedFeatures {
    this.#check(features);
    const letters = this.specs.map((spec, i) => letterOf(spec, features[i] as Matrix));
    const encoding = letters.join('');
    const rows = features[0]?.rows ?? 0;
    const data = new Uint8Array(rows * this.size(encoding));
    const view = new DataView(data.buffer);
    let at = 0;
    for (let row = 0; row < rows; row += 1) {
      this.specs.forEach((spec, i) => {
        const type = typeOf(spec, letters[i] as string);
        for (const value of (features[i] as Matrix).row(row)) {
          type.write(view, at, letters[i] === STORE_INTEGER ? quantize(spec, value) : value);
          at += type.size;
        }
      });
    }
    return { encoding, data };
  }

  /** Return the features of a sample: a matrix for each features tensor. */
  decode({ encoding, data }: EncodedFeatures): Matrix[] {
    const rows = data.length / this.size(encoding);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const features = this.zeros(rows);
    let at = 0;
    for (let row = 0; row < rows; row += 1) {
      this.specs.forEach((spec, i) => {
        const letter = encoding[i] as string;
        const type = typeOf(spec, letter);
        const values = (features[i] as Matrix).row(row);
        for (let column = 0; column < values.length; column += 1) {
          const value = type.read(view, at);
          values[column] = letter === STORE_INTEGER ? dequantize(spec, value) : value;
          at += type.size;
        }
      });
    }
    return features;
  }

  /** Return a matrix of zeros for each features tensor. */
  zeros(rows: number): Matrix[] {
    return this.specs.map(({ shape }) => Matrix.filled(rows, volume(shape)));
  }

  /** Return features with the precision of the store. */
  round(features: readonly Matrix[]): Matrix[] {
    return this.decode(this.encode(features));
  }

  /** Return whether a text is an encoding of these features tensors. */
  isValid(encoding: string): boolean {
    const letters = Array.from(encoding);
    return (
      letters.length === this.specs.length &&
      this.specs.every((spec, i) => {
        const letter = letters[i];
        const isFloat = letter === STORE_FLOAT16 || letter === STORE_FLOAT32;
        return isFloat || (letter === STORE_INTEGER && isQuantized(spec));
      })
    );
  }

  /** Return the bytes of one row. */
  size(encoding: string): number {
    return this.specs.reduce(
      (sum, spec, i) => sum + typeOf(spec, encoding[i] as string).size * volume(spec.shape),
      0,
    );
  }

  #check(features: readonly Matrix[]): void {
    if (features.length !== this.specs.length || (features[0]?.rows ?? 0) === 0) {
      throw new DataError(
        `the model has ${this.specs.length} features tensors; got ${features.length}`,
      );
    }
    this.specs.forEach(({ name, shape }, i) => {
      const { columns, rows, data } = features[i] as Matrix;
      if (columns !== volume(shape) || !Number.isInteger(rows) || rows !== features[0]?.rows) {
        throw new DataError(`${name} must have ${volume(shape)} values; got ${data.length} values`);
      }
      if (!data.every(Number.isFinite)) {
        throw new DataError(
          `${name} has values that are not finite: the base cannot process this sample, so it is ` +
            'not stored',
        );
      }
    });
  }
}

/** Return the encoding of a tensor: the shortest that is precise. */
function letterOf(spec: FeatureSpec, matrix: Matrix): string {
  const isExact = (value: number) => Object.is(dequantize(spec, quantize(spec, value)), value);
  if (isQuantized(spec) && matrix.data.every(isExact)) {
    return STORE_INTEGER;
  }
  for (let row = 0; row < matrix.rows; row += 1) {
    const values = matrix.row(row);
    const lost = Float64Array.from(values, (value) => fromHalf(toHalf(value)) - value);
    if (!(norm(lost) <= HALF_ERROR * norm(values))) {
      return STORE_FLOAT32;
    }
  }
  return STORE_FLOAT16;
}

function quantize({ dtype, scale, zero_point }: FeatureSpec, value: number): number {
  const { low, high } = INTEGERS[dtype] as { low: number; high: number };
  const steps = roundToEven(value / Math.fround(scale ?? 1));
  return clamp(steps + (zero_point ?? 0), low, high);
}

/** Return the real number of an integer, computed as LiteRT's DEQUANTIZE does. */
function dequantize({ scale, zero_point }: FeatureSpec, value: number): number {
  return Math.fround(Math.fround(value - (zero_point ?? 0)) * Math.fround(scale ?? 1));
}

function isQuantized({ scale, dtype }: FeatureSpec): boolean {
  return scale !== null && dtype in INTEGERS;
}

function typeOf({ dtype }: FeatureSpec, letter: string): NumberType {
  if (letter === STORE_INTEGER) {
    return INTEGERS[dtype] as NumberType;
  }
  return letter === STORE_FLOAT16 ? FLOAT16 : FLOAT32;
}
