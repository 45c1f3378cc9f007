/** The signatures of a personalizable file: names, shapes and types of their inputs and outputs. */

import {
  ACTIVE,
  CLASS_ONE_HOT,
  DONE,
  FEATURES,
  HEAD_FEATURES,
  HEAD_SIGNATURES,
  LABELS,
  LEARNING_RATE,
  LOSS,
  type Manifest,
  OUTPUT,
  RUN,
  RUN_LAYERS,
  SAMPLE_WEIGHTS,
  type SignatureKey,
} from '../../../../contract/generated/contract.js';
import { numbered } from '../data/batches.js';

/** The shape and type of an input or output of a signature. */
export interface TensorSpec {
  /** Exact shape, of rank 1 or more. */
  readonly shape: readonly number[];
  /** `float32`, `int32` or `uint8`. */
  readonly dtype: string;
}

/** Name → shape and type. */
export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

/** The inputs and outputs of a signature. */
export interface Signature {
  readonly inputs: TensorSpecs;
  readonly outputs: TensorSpecs;
}

/** A signature of `HEAD_SIGNATURES`. */
export type HeadKey = (typeof HEAD_SIGNATURES)[number];

/** Name of a signature; a file with tuned layers has all of them. */
export type SignatureName = SignatureKey | `${HeadKey}_head` | typeof RUN_LAYERS;

/** Name → inputs and outputs. */
export type Signatures = Readonly<
  Record<SignatureKey, Signature> & Partial<Record<SignatureName, Signature>>
>;

/** Return the name of a signature for the head alone. */
export function headSignature(key: HeadKey): `${HeadKey}_head` {
  return `${key}_head`;
}

/** Return the manifest of the head alone; without tuned layers, this manifest. */
export function headManifest(manifest: Manifest): Manifest {
  const { layers, head } = manifest;
  if (layers === null) {
    return manifest;
  }
  const shape = [layers.features];
  return {
    ...manifest,
    features: [{ name: FEATURES, shape, dtype: 'float32', scale: null, zero_point: null }],
    head: { ...head, feature_norm: layers.feature_norm },
    layers: null,
  };
}

/** Return the inputs and outputs of each signature of a file. */
export function signatures(manifest: Manifest): Signatures {
  const plain = plainSignatures(manifest);
  if (manifest.layers === null) {
    return plain;
  }
  const behind = { [HEAD_FEATURES]: float32(1, manifest.layers.features) };
  const { inputs, outputs } = plain.infer;
  const head = plainSignatures(headManifest(manifest));
  const samples = manifest.features.map(({ shape }, i) => {
    return [numbered(FEATURES, i), float32(1, ...shape)];
  });
  return {
    ...plain,
    infer: { inputs, outputs: { ...outputs, ...behind } },
    ...Object.fromEntries(HEAD_SIGNATURES.map((key) => [headSignature(key), head[key]])),
    [RUN_LAYERS]: { inputs: Object.fromEntries(samples), outputs: behind },
  };
}

function plainSignatures(manifest: Manifest): Readonly<Record<SignatureKey, Signature>> {
  const { batch_size: batch, weights_per_output: perOutput } = manifest;
  const capacity = manifest.classes.length;
  const rows = (count: number) =>
    Object.fromEntries(
      manifest.features.map(({ shape }, i) => [numbered(FEATURES, i), float32(count, ...shape)]),
    );
  const output = float32(batch, capacity);
  const weights = { [SAMPLE_WEIGHTS]: float32(batch) };
  const samples = {
    ...rows(batch),
    [LABELS]: output,
    ...(perOutput ? { [SAMPLE_WEIGHTS]: output } : weights),
  };
  const results = { [LOSS]: float32(1), [OUTPUT]: output };
  const inputs = Object.fromEntries(
    manifest.inputs.map(({ name, shape, dtype }) => [name, { shape, dtype }]),
  );
  const state = Object.fromEntries(
    manifest.variables.map(({ name, shape }) => [name, float32(...shape)]),
  );
  const [run, done] = [{ [RUN]: float32(1) }, { [DONE]: float32(1) }];
  return {
    infer: { inputs, outputs: { [OUTPUT]: float32(1, capacity), ...rows(1) } },
    train: { inputs: { ...samples, [LEARNING_RATE]: float32(1) }, outputs: results },
    evaluate: { inputs: samples, outputs: results },
    set_class: {
      inputs: {
        [CLASS_ONE_HOT]: float32(capacity),
        ...rows(batch),
        ...weights,
        [ACTIVE]: float32(1),
      },
      outputs: done,
    },
    save: { inputs: run, outputs: state },
    restore: { inputs: state, outputs: done },
    initialize: { inputs: run, outputs: done },
  };
}

function float32(...shape: number[]): TensorSpec {
  return { shape, dtype: 'float32' };
}
