/** The entry of the worker: it runs the calls of the page. */

import type { SartorError } from '../errors.js';
import type { Epoch } from '../results/records.js';
import type { Call, Opened, Reply, Verbs } from './messages.js';
import { Model } from './model.js';
import { openModel } from './open.js';
import { modelOfProject } from './projects.js';

let model: Model | undefined;

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Call>) => void;
  postMessage: (reply: Reply) => void;
};

scope.onmessage = async ({ data: { id, verb, args } }) => {
  try {
    scope.postMessage({ id, result: await run(verb, args) });
  } catch (error) {
    const { name, message, code } = error as SartorError;
    scope.postMessage({ id, error: { name, message, code } });
  }
};

async function run(verb: keyof Verbs, args: readonly unknown[]): Promise<unknown> {
  if (verb === 'open') {
    return open(...(args as Parameters<Verbs['open']>));
  }
  if (verb === 'modelOfProject') {
    return modelOfProject(...(args as Parameters<Verbs['modelOfProject']>));
  }
  const call = model?.[verb] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
  if (call === undefined) {
    throw new Error(`the worker has no function ${verb}, or no model is open`);
  }
  return call.apply(model, [...args]);
}

async function open(...args: Parameters<Verbs['open']>): Promise<Opened> {
  const parts = await openModel(...args);
  const onEpoch = (job: number, epoch: Epoch) => scope.postMessage({ job, epoch });
  model = new Model(parts, onEpoch);
  return { manifest: parts.file.manifest, name: parts.name, notes: parts.notes };
}
