/** LiteRT.js alone, in a worker of its own: runs signatures of files with constant inputs. */

import { type CompiledModel, loadAndCompile, Tensor } from '@litertjs/core';
import { loadRuntime } from '../sartor/src/litert/runtime.js';
import { timeOf } from './turns.js';

/** Requests to the worker. */
export type Request =
  | { readonly open: string; readonly runtime: string; readonly threads: boolean }
  | { readonly time: string; readonly signature: string; readonly calls: number };

const ARRAYS = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };
const models = new Map<string, CompiledModel>();

addEventListener('message', async ({ data, ports }: MessageEvent<Request>) => {
  try {
    ports[0]?.postMessage({ result: await answer(data) });
  } catch (error) {
    ports[0]?.postMessage({ error: String(error) });
  }
});

async function answer(request: Request): Promise<number> {
  if ('open' in request) {
    await loadRuntime(request.runtime, request.threads);
    const content = new Uint8Array(await (await fetch(request.open)).arrayBuffer());
    models.set(request.open, await loadAndCompile(content, { accelerator: 'wasm' }));
    return content.length;
  }
  const call = caller(models.get(request.time) as CompiledModel, request.signature);
  return timeOf(call, request.calls);
}

/** Return a function that makes tensors, runs a signature, and reads its outputs. */
function caller(model: CompiledModel, signature: string): () => Promise<void> {
  const details = model.signatures[signature]?.getInputDetails() ?? [];
  const values = details.map(({ dtype, shape }) => {
    const size = Array.from(shape).reduce((product, side) => product * side, 1);
    const array = new ARRAYS[dtype as keyof typeof ARRAYS](size);
    return { array: array.map((_, i) => constant(dtype, i)), shape: Array.from(shape) };
  });
  return async () => {
    const inputs = Object.fromEntries(
      details.map(({ name }, i) => {
        const { array, shape } = values[i] as (typeof values)[number];
        return [name, new Tensor(array as Float32Array, shape)];
      }),
    );
    const outputs = await model.run(signature, inputs);
    for (const tensor of Object.values(outputs)) {
      tensor.toTypedArray().slice();
      tensor.delete();
    }
    for (const tensor of Object.values(inputs)) {
      tensor.delete();
    }
  };
}

/** Return an element of an input: a pixel, or a small number. */
function constant(dtype: string, index: number): number {
  const pixel = (index * 7919) % 251;
  return dtype === 'uint8' ? pixel : pixel / 1000;
}
