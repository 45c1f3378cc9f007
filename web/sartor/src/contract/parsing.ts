/** Reading the parts of the manifest from JSON; each field is checked. */

import {
  type FeatureSpec,
  type Fingerprints,
  type FirstStep,
  type FrozenSpec,
  type HeadSpec,
  type InputSpec,
  type LayersSpec,
  type LossSpec,
  MODALITIES,
  type OptimizerSpec,
  ROLES,
  type VariableSpec,
} from '../../../../contract/generated/contract.js';
import type { Fields } from './fields.js';

/** Return one item of `inputs`. */
export function parseInput(item: Fields): InputSpec {
  return {
    name: item.string('name'),
    shape: item.shape('shape'),
    dtype: item.oneOf('dtype', ['float32', 'int32', 'uint8']),
    modality: item.oneOf('modality', MODALITIES),
    mean: item.numbers('mean'),
    std: item.numbers('std'),
  };
}

/** Return one item of `features`. */
export function parseFeature(item: Fields): FeatureSpec {
  return {
    name: item.string('name'),
    shape: item.shape('shape'),
    dtype: item.string('dtype'),
    scale: item.optionalNumber('scale'),
    zero_point: item.optionalInteger('zero_point'),
  };
}

/** Return one item of `variables`. */
export function parseVariable(item: Fields): VariableSpec {
  return {
    name: item.string('name'),
    shape: item.shape('shape'),
    role: item.oneOf('role', ROLES),
    class_axis: item.optionalInteger('class_axis', 0),
    parameter: item.optionalString('parameter'),
    offset: item.integer('offset', 0),
    rate: item.optionalNumber('rate'),
  };
}

/** Return `head`. */
export function parseHead(item: Fields): HeadSpec {
  return {
    name: item.string('name'),
    settings: item.object('settings').values,
    feature_norm: item.optionalNumber('feature_norm'),
  };
}

/** Return `layers`. */
export function parseLayers(item: Fields): LayersSpec {
  return {
    features: item.integer('features', 1),
    feature_norm: item.optionalNumber('feature_norm'),
  };
}

/** Return `loss`. */
export function parseLoss(item: Fields): LossSpec {
  return {
    name: item.string('name'),
    settings: item.object('settings').values,
    curvature: item.number('curvature'),
  };
}

/** Return `optimizer`. */
export function parseOptimizer(item: Fields): OptimizerSpec {
  const step = item.object('step');
  return {
    name: item.string('name'),
    settings: item.object('settings').values,
    step: {
      adaptive: step.boolean('adaptive'),
      momentum: step.number('momentum'),
      nesterov: step.boolean('nesterov'),
      first: (step.values.first ?? null) === null ? null : parseFirst(step.object('first')),
    },
    clip_norm: item.optionalNumber('clip_norm'),
  };
}

/** Return `fingerprints`. */
export function parseFingerprints(item: Fields): Fingerprints {
  return {
    base: item.string('base'),
    head: item.string('head'),
    optimizer: item.string('optimizer'),
  };
}

/** Return `frozen`. */
export function parseFrozen(item: Fields): FrozenSpec {
  return { offset: item.integer('offset', 0), class_counts: item.shape('class_counts') };
}

function parseFirst(item: Fields): FirstStep {
  return {
    factor: item.number('factor'),
    state: item.optionalString('state'),
    power: item.integer('power', 1),
  };
}
