/** Adapt a checkpoint to a model of another capacity or with another optimizer. */

import {
  MASK,
  type Manifest,
  OPTIMIZER_STATE,
  RANDOM_STATE,
  STATISTIC,
  type Task,
  TEMPERATURE,
  type VariableSpec,
  WEIGHT_DECAY,
} from '../../../../contract/generated/contract.js';
import { CheckpointError } from '../errors.js';
import type { Variables } from '../litert/engine.js';
import { range } from '../numbers.js';
import type { Checkpoint } from './checkpoint.js';

const LARGEST = 1e15; // its square still fits into float32
const LARGEST_FACTOR = 1e8; // of a classification: logits are products
const SMALLEST = 1e-15; // statistics divide

/** A checkpoint in the shapes of a model. */
export interface Adapted {
  /** Name → value, of every variable of the model. */
  readonly variables: Record<string, Float32Array>;
  /** Class name of each class index; null for a free one. */
  readonly classes: readonly (string | null)[];
  /** Key of each class index; null for a free one. */
  readonly classKeys: readonly (string | null)[];
  /** Messages about the parts of the checkpoint that were dropped. */
  readonly notes: readonly string[];
}

/**
 * Adapt a checkpoint to a model.
 *
 * @param checkpoint - checkpoint of the same base and head.
 * @param manifest - manifest of the model.
 * @param initial - initial values of the variables of the model.
 * @param name - name of the checkpoint for messages.
 * @throws CheckpointError if the checkpoint belongs to another base or head, uses more classes than
 *   the capacity of the model, or lacks a tensor, or has one of another shape or with a value that
 *   no training gives.
 */
export function adapt(
  checkpoint: Checkpoint,
  manifest: Manifest,
  initial: Variables,
  name: string,
): Adapted {
  checkFingerprints(checkpoint, manifest, name);
  const classes = adaptClasses(checkpoint, manifest, name);
  const sameOptimizer = checkpoint.fingerprints.optimizer === manifest.fingerprints.optimizer;
  const variables: Record<string, Float32Array> = {};
  for (const spec of manifest.variables) {
    const value = initial[spec.name] as Float32Array;
    const adapted = isTakenOver(spec, checkpoint, sameOptimizer)
      ? adaptVariable(spec, checkpoint, value, name)
      : value;
    checkValues(spec, adapted, manifest.task, name);
    variables[spec.name] = Float32Array.from(adapted);
  }
  checkMask(checkpoint, name);
  classes.forEach((label, index) => {
    if (label === null) {
      (variables[MASK] as Float32Array)[index] = 0;
    }
  });
  return {
    variables,
    classes,
    classKeys: keysOf(classes, checkpoint, manifest),
    notes: sameOptimizer
      ? []
      : [`${name} was trained with another optimizer: its optimizer state is dropped`],
  };
}

function checkFingerprints({ fingerprints }: Checkpoint, manifest: Manifest, name: string): void {
  for (const part of ['base', 'head'] as const) {
    const [other, own] = [fingerprints[part], manifest.fingerprints[part]];
    if (other !== own) {
      throw new CheckpointError(
        `${name} was saved from a model with another ${part} (${other.slice(0, 8)}, this model's ` +
          `is ${own.slice(0, 8)}): load it into the model that it was trained with, or train again`,
        'other-model',
      );
    }
  }
}

/** Return the class names of the checkpoint, followed by those of the file. */
function adaptClasses({ classes }: Checkpoint, manifest: Manifest, name: string) {
  const capacity = manifest.classes.length;
  const used = classes.findLastIndex((label) => label !== null) + 1;
  if (used > capacity) {
    throw new CheckpointError(
      `${name} uses ${used} class indices, and the capacity of the model is ${capacity}: convert ` +
        `the base again with --classes ${used}; the checkpoint stays valid`,
      'no-free-class',
    );
  }
  const others = manifest.classes.slice(classes.length);
  return [
    ...classes.slice(0, capacity),
    ...others.map((label) => (classes.includes(label) ? null : label)),
  ];
}

function keysOf(
  classes: readonly (string | null)[],
  checkpoint: Checkpoint,
  manifest: Manifest,
): readonly (string | null)[] {
  const manifestKeys = manifest.class_keys ?? manifest.classes;
  const keys = new Map([
    ...manifest.classes.map((label, i) => [label, manifestKeys[i] ?? null] as const),
    ...checkpoint.classes.map((label, i) => [label, checkpoint.classKeys[i] ?? null] as const),
  ]);
  return classes.map((label) => (label === null ? null : (keys.get(label) ?? null)));
}

/** Throw CheckpointError if a value would give outputs that are not numbers. */
function checkValues(spec: VariableSpec, value: Float32Array, task: Task, name: string): void {
  const largest = task === 'classification' ? LARGEST_FACTOR : LARGEST;
  let isValid = (x: number) => Math.abs(x) <= largest;
  let expected = `at most ${largest}`;
  if (spec.name === TEMPERATURE) {
    isValid = (x) => x >= Math.fround(1e-6) && x <= 1e6;
    expected = '1e-6 to 1e6';
  } else if (spec.name === WEIGHT_DECAY) {
    isValid = (x) => x >= 0 && x <= 1e6;
    expected = '0 to 1e6';
  } else if (spec.role === STATISTIC) {
    isValid = (x) => x === 0 || (Math.abs(x) >= Math.fround(SMALLEST) && Math.abs(x) <= largest);
    expected = `0, or ${SMALLEST} to ${largest} without its sign`;
  }
  const wrong = value.find((x) => !isValid(x));
  if (wrong !== undefined) {
    throw new CheckpointError(
      `${name}: ${spec.name} has the value ${wrong}, expected ${expected}: it is damaged. Use ` +
        'another copy, or train again.',
    );
  }
}

/** Throw CheckpointError if a class mask gives no probabilities. */
function checkMask({ variables, classes }: Checkpoint, name: string): void {
  const mask = variables.get(MASK)?.data ?? new Float32Array();
  const isNamed = (index: number) => (classes[index] ?? null) !== null;
  const wrong = mask.findIndex((x, index) => x !== 0 && (x !== 1 || !isNamed(index)));
  let problem: string | undefined;
  if (wrong >= 0) {
    const expected = isNamed(wrong) ? '0 or 1' : '0: the index is free';
    problem = `has the value ${mask[wrong]} at ${wrong}, expected ${expected}`;
  } else if (classes.some((label) => label !== null) && mask.every((x) => x === 0)) {
    problem = 'is 0 for all classes, expected 1 for at least one';
  }
  if (problem !== undefined) {
    throw new CheckpointError(
      `${name}: ${MASK} ${problem}. It is damaged. Use another copy, or train again.`,
    );
  }
}

/** Whether a variable gets its value from the checkpoint, not its initial value. */
function isTakenOver(spec: VariableSpec, { variables }: Checkpoint, sameOptimizer: boolean) {
  if (spec.role === RANDOM_STATE && !variables.has(spec.name)) {
    return false; // the head had no dropout when the checkpoint was saved
  }
  return sameOptimizer || spec.role !== OPTIMIZER_STATE;
}

/** Return a tensor of the checkpoint, truncated or extended along its class axis. */
function adaptVariable(
  spec: VariableSpec,
  { variables, classes }: Checkpoint,
  initial: Float32Array,
  name: string,
): Float32Array {
  const { class_axis: axis } = spec;
  const shape = spec.shape.map((size, i) => (i === axis ? classes.length : size));
  const tensor = variables.get(spec.name);
  if (tensor === undefined || tensor.shape.join() !== shape.join()) {
    const got = tensor === undefined ? 'no such tensor' : `[${tensor.shape}]`;
    throw new CheckpointError(
      `${name}: expected ${spec.name} as [${shape}], got ${got}: it is damaged`,
    );
  }
  return axis === null ? tensor.data : resize(tensor.data, shape, initial, spec.shape, axis);
}

/** Return values in another shape: those at class indices that they lack are the initial ones. */
function resize(
  values: Float32Array,
  shape: readonly number[],
  initial: Float32Array,
  to: readonly number[],
  axis: number,
): Float32Array {
  const [from, size] = [shape[axis] as number, to[axis] as number];
  const stride = to.slice(axis + 1).reduce((a, b) => a * b, 1); // between two classes
  const result = Float32Array.from(initial);
  for (const block of range(initial.length / (size * stride))) {
    const common = Math.min(from, size) * stride;
    const start = block * from * stride;
    result.set(values.subarray(start, start + common), block * size * stride);
  }
  return result;
}
