/** Play the rules of the recipe that need a model, in a browser; the tests call `window.play`. */

import { LiteRtEngine } from '../../src/litert/litert_engine.js';
import { checkModelFile } from '../../src/litert/model_file.js';
import { loadRuntime } from '../../src/litert/runtime.js';
import { MODEL_PLAYERS, type OpenModel } from './models.js';
import { type ModelRule, toValue, type Value } from './vectors.js';

declare global {
  interface Window {
    /** Play a case of a rule on a fresh copy of a model, and return its outputs. */
    play: (rule: ModelRule, url: string, inputs: unknown) => Promise<Value>;
  }
}

async function open(url: string): Promise<OpenModel> {
  await loadRuntime(new URL('/litert/', location.href).href, false);
  const response = await fetch(url);
  const file = await checkModelFile(new Uint8Array(await response.arrayBuffer()), url);
  return { engine: await LiteRtEngine.load(file), manifest: file.manifest };
}

window.play = async (rule, url, inputs) => {
  const model = await open(url);
  try {
    // biome-ignore lint/suspicious/noExplicitAny: each rule has inputs of its own
    return toValue(await MODEL_PLAYERS[rule](model, inputs as any));
  } finally {
    model.engine.close();
  }
};
