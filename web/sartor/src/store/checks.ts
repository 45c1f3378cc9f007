/** Checks of labels, targets and images, before the store is changed. */

import {
  STORE_MAX_IMAGE_BYTES,
  STORE_MAX_LABEL,
  type Task,
} from '../../../../contract/generated/contract.js';
import { DataError } from '../errors.js';

/** Class name → target. */
export type Targets = ReadonlyMap<string, number>;

/** Throw DataError if a label cannot be the name of a class. */
export function checkLabel(label: unknown): void {
  const isName =
    typeof label === 'string' &&
    label.trim() !== '' &&
    Array.from(label).length <= STORE_MAX_LABEL &&
    !/\p{Cs}/u.test(label);
  if (!isName) {
    throw new DataError(
      `a label must be the name of a class, such as 'hat', of at most ${STORE_MAX_LABEL} ` +
        `characters; got ${JSON.stringify(label)?.slice(0, 80)}`,
      'not-a-name',
    );
  }
}

/** Throw DataError if targets do not fit the task. */
export function checkTargets(task: Task, targets: Targets): void {
  const values = [...targets.values()];
  const got = `got ${JSON.stringify(Object.fromEntries(targets))}`;
  for (const label of targets.keys()) {
    checkLabel(label);
  }
  if (values.length === 0) {
    throw new DataError('a sample needs a target: a record class name → value; got none');
  }
  if (!values.every(Number.isFinite)) {
    throw new DataError(`targets must be finite numbers; ${got}`);
  }
  if (task === 'classification' && (values.length !== 1 || values[0] !== 1)) {
    throw new DataError(`a sample of this model has one class, with target 1; ${got}`);
  }
  if (task === 'multi_label' && !values.every((value) => value >= 0 && value <= 1)) {
    throw new DataError(`the target of a label must be 0 to 1; ${got}`);
  }
}

/** Throw DataError if an image is too large. */
export function checkImage(kind: string, data: Uint8Array): void {
  if (data.length > STORE_MAX_IMAGE_BYTES) {
    throw new DataError(
      `the ${kind} has ${data.length} bytes; at most ${STORE_MAX_IMAGE_BYTES} can be stored`,
    );
  }
}
