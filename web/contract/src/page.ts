/** Replays vectors with LiteRT.js, in a browser: the tests drive `window.replay`. */

import { type CompiledModel, loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { type Call, difference, type Got, type TensorJson, type VectorFile } from './vectors.js';

/** How one call went. */
export interface Outcome {
  readonly about: string;
  readonly signature: string;
  /** See `difference`. */
  readonly difference: number;
  /** What was thrown. */
  readonly error?: string;
}

declare global {
  interface Window {
    /** Replay the vector file at a URL; the model lies beside it. */
    replay: (url: string) => Promise<Outcome[]>;
  }
}

const TYPES = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

// `?wasm=` names another build of the runtime, as that for browsers without relaxed SIMD.
const ready = loadLiteRt(`/litert/${new URLSearchParams(location.search).get('wasm') ?? ''}`);

window.replay = async (url) => {
  await ready;
  const response = await fetch(url);
  const file = (await response.json()) as VectorFile;
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
    const got = await run(model, signature, call.inputs);
    return { about, signature, difference: difference(got, call.outputs) };
  } catch (error) {
    return { about, signature, difference: Number.NaN, error: String(error) };
  }
}

async function run(
  model: CompiledModel,
  signature: string,
  values: Readonly<Record<string, TensorJson>>,
): Promise<Record<string, Got>> {
  const inputs = mapValues(values, ({ dtype, data, shape }) => {
    return new Tensor(TYPES[dtype].from(data), [...shape]);
  });
  try {
    const outputs = await model.run(signature, inputs);
    return mapValues(outputs, (tensor) => {
      const got = { shape: [...tensor.type.layout.dimensions], data: tensor.toTypedArray() };
      tensor.delete();
      return got;
    });
  } finally {
    mapValues(inputs, (tensor) => tensor.delete());
  }
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B) {
  const entries = Object.entries(record).map(([name, value]) => [name, change(value)] as const);
  return Object.fromEntries(entries) as Record<string, B>;
}
