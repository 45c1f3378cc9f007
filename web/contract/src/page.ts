/** Replay vectors with LiteRT.js in a browser; the tests call `window.replay`. */

import { type CompiledModel, loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import type { SignatureKey } from '../../../contract/generated/contract.js';
import { type Call, difference, type Output, parseVectors, type TensorJson } from './vectors.js';

/** The result of one call. */
export interface Outcome {
  readonly about: string;
  readonly signature: SignatureKey;
  /** See `difference`. */
  readonly difference: number;
  /** The message of the error, if there was one. */
  readonly error?: string;
}

declare global {
  interface Window {
    /** Replay the vector file at a URL; the model is in the same folder. */
    replay: (url: string) => Promise<Outcome[]>;
  }
}

const TYPES = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

// `?wasm=` selects another build of the runtime, such as the one without relaxed SIMD.
const ready = loadLiteRt(`/litert/${new URLSearchParams(location.search).get('wasm') ?? ''}`);

window.replay = async (url) => {
  await ready;
  const response = await fetch(url);
  const file = parseVectors(await response.json());
  const model = await loadAndCompile(new URL(file.model, response.url).href, {
    accelerator: 'wasm',
  });
  try {
    const outcomes: Outcome[] = [];
    for (const call of file.calls) {
      outcomes.push(await outcome(model, call));
    }
    return outcomes;
  } finally {
    model.delete();
  }
};

async function outcome(model: CompiledModel, call: Call): Promise<Outcome> {
  const { about, signature } = call;
  try {
    const outputs = await run(model, signature, call.inputs);
    return { about, signature, difference: difference(outputs, call.outputs) };
  } catch (error) {
    return { about, signature, difference: Number.NaN, error: String(error) };
  }
}

async function run(
  model: CompiledModel,
  signature: SignatureKey,
  values: Readonly<Record<string, TensorJson>>,
): Promise<Record<string, Output>> {
  const inputs = mapValues(values, ({ dtype, data, shape }) => {
    return new Tensor(TYPES[dtype].from(data), [...shape]);
  });
  try {
    const outputs = await model.run(signature, inputs);
    return mapValues(outputs, (tensor) => {
      const output = { shape: [...tensor.type.layout.dimensions], data: tensor.toTypedArray() };
      tensor.delete();
      return output;
    });
  } finally {
    mapValues(inputs, (tensor) => tensor.delete());
  }
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B) {
  const entries = Object.entries(record).map(([name, value]) => [name, change(value)] as const);
  return Object.fromEntries(entries) as Record<string, B>;
}
