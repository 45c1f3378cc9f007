/** Pixels as the values of an input, and back. */

import type { InputSpec } from '../../../../contract/generated/contract.js';
import type { Tensor } from '../litert/engine.js';
import type { Pixels } from './resize.js';

/** Return pixels as the values of an input: `(pixel − mean) / std` for a float input. */
export function normalize({ dtype, mean, std }: InputSpec, { channels, data }: Pixels): Tensor {
  if (dtype !== 'float32') {
    return dtype === 'int32' ? Int32Array.from(data) : Uint8Array.from(data);
  }
  const [means, deviations] = [mean, std].map((values) => Float32Array.from(values)) as [
    Float32Array,
    Float32Array,
  ];
  return Float32Array.from(data, (pixel, i) => {
    const channel = i % channels;
    const center = means[channel % means.length] as number;
    return Math.fround(pixel - center) / (deviations[channel % deviations.length] as number);
  });
}

/** Return the values of an image input as pixels. */
export function denormalize({ shape, dtype, mean, std }: InputSpec, values: Tensor): Pixels {
  const [, height, width, channels] = shape as [number, number, number, number];
  const data = Uint8ClampedArray.from(values, (value, i) => {
    const channel = i % channels;
    return dtype === 'float32'
      ? value * (std[channel % std.length] as number) + (mean[channel % mean.length] as number)
      : value;
  });
  return { width, height, channels, data };
}
