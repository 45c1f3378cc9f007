/** The page of the tests: they call `PersonalModel` in the browser. */

import type { SignatureKey } from '../../../../contract/generated/contract.js';
import { type Call, difference, parseVectors } from '../../../contract/src/vectors.js';
import { signatures } from '../../src/contract/signatures.js';
import * as decoding from '../../src/images/decode.js';
import * as resizing from '../../src/images/resize.js';
import * as sartor from '../../src/index.js';

import type { Engine } from '../../src/litert/engine.js';
import { LiteRtEngine } from '../../src/litert/litert_engine.js';
import { checkModelFile } from '../../src/litert/model_file.js';
import { loadRuntime } from '../../src/litert/runtime.js';

/** The largest difference of the outputs of a call from their expected values. */
interface Outcome {
  readonly about: string;
  readonly difference: number;
}

declare global {
  interface Window {
    sartor: typeof sartor;
    images: typeof decoding & typeof resizing;
    /** The open model. */
    model: sartor.PersonalModel;
    /** Replay the calls of a vector file in the engine. */
    replayVectors: (url: string) => Promise<Outcome[]>;
    /** Load a model into an engine. */
    loadEngine: (url: string) => Promise<LiteRtEngine>;
    /** Return the content of an address of the test server. */
    content: (url: string) => Promise<ArrayBuffer>;
    /** Return the pixels of an image of noise around a color. */
    photo: (color: readonly [number, number, number], seed: number) => ImageData;
  }
}

window.sartor = sartor;
window.images = { ...decoding, ...resizing };

window.content = async (url) => (await fetch(url, { cache: 'no-store' })).arrayBuffer();

window.photo = (color, seed) => {
  const image = new ImageData(20, 30);
  for (let at = 0; at < image.data.length; at += 4) {
    for (let channel = 0; channel < 3; channel += 1) {
      const noise = 40 * Math.sin((at + channel) * (seed + 1.7));
      image.data[at + channel] = (color[channel] ?? 0) + noise;
    }
    image.data[at + 3] = 255;
  }
  return image;
};

const TYPES = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

window.loadEngine = async (url) => {
  await loadRuntime(new URL('/litert/', location.href).href, false);
  return LiteRtEngine.load(await checkModelFile(new Uint8Array(await window.content(url)), url));
};

window.replayVectors = async (url) => {
  const file = parseVectors(await (await fetch(url)).json());
  const address = new URL(file.model, new URL(url, location.href)).href;
  const model = await checkModelFile(new Uint8Array(await window.content(address)), file.model);
  const specs = signatures(model.manifest);
  const engine = await window.loadEngine(address);
  const outcomes: Outcome[] = [];
  for (const call of file.calls) {
    const shapes = specs[call.signature].outputs;
    const outputs = await run(engine, call.signature, call.inputs);
    const shaped = Object.entries(outputs).map(([name, data]) => {
      return [name, { shape: shapes[name]?.shape ?? [], data }] as const;
    });
    const most = difference(Object.fromEntries(shaped), call.outputs);
    outcomes.push({ about: call.about, difference: most });
  }
  engine.close();
  return outcomes;
};

function run(engine: Engine, key: SignatureKey, inputs: Call['inputs']) {
  const tensors = Object.entries(inputs).map(([name, { dtype, data }]) => {
    return [name, TYPES[dtype].from(data)] as const;
  });
  return engine.run(key, Object.fromEntries(tensors));
}
