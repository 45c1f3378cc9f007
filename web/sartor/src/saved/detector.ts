/** The OOD detector in a checkpoint. */

import {
  type Manifest,
  OOD_CLASS_INDICES,
  OOD_DIRECTIONS,
  OOD_PROTOTYPES,
  OOD_STATISTICS,
} from '../../../../contract/generated/contract.js';
import { OODDetector } from '../confidence/out_of_distribution.js';
import type { FloatTensor } from '../contract/safetensors.js';
import { volume } from '../data/batches.js';
import { sum } from '../numbers.js';
import type { Checkpoint, FloatTensors } from './checkpoint.js';

/**
 * Return the detector of a checkpoint, or undefined if it has none.
 *
 * @throws CheckpointError if its tensors are damaged.
 */
export function detectorOf(
  { oodThreshold, ood, classes }: Checkpoint,
  { features }: Manifest,
): OODDetector | undefined {
  if (oodThreshold === null) {
    return undefined;
  }
  const tensors = Object.fromEntries([...ood].map(([name, { data }]) => [name, data]));
  const size = sum(features.map(({ shape }) => volume(shape)));
  return OODDetector.fromTensors(tensors, oodThreshold, size, classes.length);
}

/** Return the tensors of a detector with their shapes; none without a detector. */
export function detectorTensors(detector: OODDetector | undefined): FloatTensors {
  if (detector === undefined) {
    return new Map();
  }
  const tensors = detector.toTensors();
  const count = tensors[OOD_CLASS_INDICES]?.length ?? 1;
  const tensor = (name: string, shape: readonly number[]): [string, FloatTensor] => {
    return [name, { shape, data: tensors[name] as Float32Array }];
  };
  const size = (tensors[OOD_PROTOTYPES]?.length ?? 0) / count;
  const directions = tensors[OOD_DIRECTIONS];
  return new Map([
    tensor(OOD_PROTOTYPES, [count, size]),
    tensor(OOD_CLASS_INDICES, [count]),
    tensor(OOD_STATISTICS, [2]),
    ...(directions ? [tensor(OOD_DIRECTIONS, [directions.length / size, size])] : []),
  ]);
}
