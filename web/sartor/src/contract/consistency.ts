/** Checks that the parts of a manifest do not contradict each other. */

import {
  FEATURES,
  IMAGE,
  type InputSpec,
  MASK,
  type Manifest,
  TEMPERATURE,
  WEIGHT_DECAY,
} from '../../../../contract/generated/contract.js';
import { numbered } from '../data/batches.js';

/** Task → whether a sample has a weight for each output. */
const WEIGHTS_PER_OUTPUT = { classification: false, multi_label: true, regression: true };

/** Return the first contradiction in a manifest, in words, or undefined. */
export function contradiction(manifest: Manifest): string | undefined {
  const problems = [emptyList, wrongName, wrongTraining, wrongVariable, wrongInput];
  return problems.map((find) => find(manifest)).find((problem) => problem !== undefined);
}

/** Return whether each class has a key of its own, and each free class index has none. */
export function areClassKeys(
  keys: readonly (string | null)[],
  classes: readonly (string | null)[],
): boolean {
  const used = keys.filter((key) => key !== null);
  return (
    keys.length === classes.length &&
    keys.every((key, index) => (key === null) === (classes[index] === null)) &&
    new Set(used).size === used.length
  );
}

function emptyList({ inputs, features, classes }: Manifest): string | undefined {
  const lists = Object.entries({ inputs, features, classes });
  const empty = lists.find(([, list]) => list.length === 0);
  return empty && `${empty[0]} is empty`;
}

function wrongName(manifest: Manifest): string | undefined {
  const index = manifest.features.findIndex(({ name }, i) => name !== numbered(FEATURES, i));
  if (index >= 0) {
    return `features ${index} is named '${manifest.features[index]?.name}'`;
  }
  const { inputs, variables, classes } = manifest;
  for (const [key, specs] of Object.entries({ inputs, variables })) {
    if (new Set(specs.map(({ name }) => name)).size !== specs.length) {
      return `two of the ${key} have the same name`;
    }
  }
  const isValid = areClassKeys(manifest.class_keys ?? classes, classes);
  return isValid ? undefined : 'class_keys has not one key for each class';
}

function wrongTraining(manifest: Manifest): string | undefined {
  const { task, loss, optimizer } = manifest;
  if (WEIGHTS_PER_OUTPUT[task] !== manifest.weights_per_output) {
    return `weights_per_output is wrong for the task '${task}'`;
  }
  if (!(loss.curvature > 0)) {
    return `the curvature of the loss is ${loss.curvature}, not above 0`;
  }
  const { momentum, first } = optimizer.step;
  if (!(momentum >= 0 && momentum < 1)) {
    return `the momentum of the optimizer is ${momentum}, not between 0 and 1`;
  }
  const isFirst = first === null || (first.factor > 0 && [1, 2].includes(first.power));
  return isFirst ? undefined : 'the first step of the optimizer has a wrong factor or power';
}

function wrongVariable({ variables, classes }: Manifest): string | undefined {
  const shapes = new Map(variables.map(({ name, shape }) => [name, shape.join()]));
  for (const [name, size] of [
    [MASK, classes.length],
    [TEMPERATURE, 1],
    [WEIGHT_DECAY, 1],
  ] as const) {
    if (shapes.get(name) !== String(size)) {
      return `there is no variable '${name}' of shape [${size}]`;
    }
  }
  for (const { name, shape, class_axis: axis, parameter } of variables) {
    if (axis !== null && shape[axis] !== classes.length) {
      return `'${name}' of shape [${shape}] has no class axis ${axis}`;
    }
    if (parameter !== null && !shapes.has(parameter)) {
      return `'${name}' belongs to '${parameter}', which does not exist`;
    }
  }
  return undefined;
}

function wrongInput({ inputs }: Manifest): string | undefined {
  const wrong = inputs.find((spec) => spec.modality === IMAGE && !isImage(spec));
  return wrong && `its shape [${wrong.shape}], mean and std do not fit an image`;
}

function isImage({ shape, mean, std }: InputSpec): boolean {
  const channels = shape[3] ?? 0;
  const fits = (values: readonly number[]) => [1, channels].includes(values.length);
  return (
    shape.length === 4 &&
    [1, 3].includes(channels) &&
    fits(mean) &&
    fits(std) &&
    std.every((value) => value > 0)
  );
}
