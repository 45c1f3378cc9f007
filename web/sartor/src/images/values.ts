/** Pixels as the values of an input, and back. */

import type { InputSpec } from '../../../../contract/generated/contract.js';
import type { Tensor } from '../litert/engine.js';
import type { Pixels } from './resize.js';

/** Return pixels as the values of an input: `(pixel − mean) / std` for a float input. */
export function normalize({ dtype, mean, std }: InputSpec, { channels, data }: Pixels): Tensor {
  if (dtype !== 'float32') {
    return dtype === 'int32' ? new Int32Array(data) : new Uint8Array(data);
  }
  const means = Float32Array.from({ length: channels }, (_, c) => mean[c % mean.length] ?? 0);
  const deviations = Float32Array.from({ length: channels }, (_, c) => std[c % std.length] ?? 1);
  const values = new Float32Array(data.length);
  for (let at = 0; at < data.length; at += channels) {
    for (let channel = 0; channel < channels; channel += 1) {
      const shifted = Math.fround((data[at + channel] as number) - (means[channel] as number));
      values[at + channel] = shifted / (deviations[channel] as number);
    }
  }
  return values;
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
