/** The head of a file with tuned layers, as an engine of its own. */

import {
  FEATURES,
  HEAD_FEATURES,
  HEAD_SIGNATURES,
  type Manifest,
  RUN_LAYERS,
} from '../../../../contract/generated/contract.js';
import { type HeadKey, headSignature, type SignatureName } from '../contract/signatures.js';
import { numbered } from '../data/batches.js';
import { Matrix } from '../data/matrix.js';
import { range } from '../numbers.js';
import { type Features, inMemory, StoredFeatures, takeRows } from '../store/stored_features.js';
import { takeTurns } from '../turns.js';
import type { Engine, Tensors, Variables } from './engine.js';

/**
 * An engine whose `train`, `evaluate` and `set_class` are those of the head behind tuned layers.
 *
 * They take the features that the layers compute. The variables are those of the whole file.
 */
class HeadEngine implements Engine {
  /** @param engine - engine of a file with tuned layers. */
  constructor(private readonly engine: Engine) {}

  /** See `Engine`. */
  run(key: SignatureName, inputs: Tensors): Promise<Record<string, Float32Array>> {
    return this.engine.run(isOfHead(key) ? headSignature(key) : key, inputs);
  }

  /** See `Engine`. */
  variables(): Promise<Record<string, Float32Array>> {
    return this.engine.variables();
  }

  /** See `Engine`. */
  restore(variables: Variables): Promise<void> {
    return this.engine.restore(variables);
  }

  /** See `Engine`. */
  initialVariables(): Promise<Record<string, Float32Array>> {
    return this.engine.initialVariables();
  }

  /** See `Engine`. */
  async copy(): Promise<HeadEngine> {
    return new HeadEngine(await this.engine.copy());
  }

  /** See `Engine`. */
  close(): void {
    this.engine.close();
  }
}

/**
 * Return the engine of the head: the same one in a file without tuned layers.
 *
 * Its features are described by `headManifest`.
 */
export function headEngine(engine: Engine, { layers }: Manifest): Engine {
  return layers === null ? engine : new HeadEngine(engine);
}

/**
 * Return the features of the head: the same ones in a file without tuned layers.
 *
 * @param engine - engine of the file.
 * @param manifest - manifest of the file.
 * @param features - rows of each features tensor of the file; those in a store are read one by one.
 */
export async function headFeatures(
  engine: Engine,
  { layers }: Manifest,
  features: Features,
): Promise<readonly Matrix[]> {
  if (layers === null) {
    return inMemory(features);
  }
  const count = features instanceof StoredFeatures ? features.rows : (features[0]?.rows ?? 0);
  const rows = Matrix.filled(count, layers.features);
  for (const row of range(count)) {
    const matrices = inMemory(takeRows(features, [row]));
    const inputs = matrices.map((each, i) => [numbered(FEATURES, i), each.data]);
    const outputs = await engine.run(RUN_LAYERS, Object.fromEntries(inputs));
    rows.row(row).set(outputs[HEAD_FEATURES] as Float32Array);
    await takeTurns();
  }
  return [rows];
}

function isOfHead(key: SignatureName): key is HeadKey {
  return HEAD_SIGNATURES.some((each) => each === key);
}
