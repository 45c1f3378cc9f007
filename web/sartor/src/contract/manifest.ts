/** The manifest `sartor.json`: the description of a personalizable file, inside the file. */

import {
  MANIFEST_FILE,
  type Manifest,
  TASKS,
  VERSION,
} from '../../../../contract/generated/contract.js';
import { NotPersonalizableError } from '../errors.js';
import { contradiction } from './consistency.js';
import { Fields } from './fields.js';
import {
  parseFeature,
  parseFingerprints,
  parseFrozen,
  parseHead,
  parseInput,
  parseLayers,
  parseLoss,
  parseOptimizer,
  parseVariable,
} from './parsing.js';

/**
 * Read `sartor.json`; unknown keys are ignored.
 *
 * @throws NotPersonalizableError if the text is damaged or contradicts itself, has another version,
 *   or requires a feature that LiteRT.js does not support.
 */
export function parseManifest(text: string): Manifest {
  const fields = Fields.parse(text, MANIFEST_FILE, NotPersonalizableError);
  const [contract, requires] = [fields.integer('contract'), fields.strings('requires')];
  checkSupport(contract, requires);
  const manifest: Manifest = {
    contract,
    inputs: fields.objects('inputs').map(parseInput),
    features: fields.objects('features').map(parseFeature),
    batch_size: fields.integer('batch_size', 1),
    classes: fields.names('classes'),
    task: fields.oneOf('task', TASKS),
    weights_per_output: fields.boolean('weights_per_output'),
    head: parseHead(fields.object('head')),
    loss: parseLoss(fields.object('loss')),
    optimizer: parseOptimizer(fields.object('optimizer')),
    learning_rate: fields.optionalNumber('learning_rate'),
    weight_decay: fields.optionalNumber('weight_decay'),
    variables: fields.objects('variables').map(parseVariable),
    fingerprints: parseFingerprints(fields.object('fingerprints')),
    layers: fields.values.layers ? parseLayers(fields.object('layers')) : null,
    frozen: fields.values.frozen ? parseFrozen(fields.object('frozen')) : null,
    requires,
    generator: fields.string('generator'),
    class_keys: fields.values.class_keys ? fields.names('class_keys') : null,
    digest: fields.string('digest'),
  };
  const problem = contradiction(manifest);
  if (problem !== undefined) {
    throw new NotPersonalizableError(
      `${MANIFEST_FILE} is damaged: ${problem}. Convert the base again.`,
    );
  }
  return manifest;
}

function checkSupport(version: number, requires: readonly string[]): void {
  if (version !== VERSION) {
    throw new NotPersonalizableError(
      `the model needs contract version ${version}; this Sartor supports version ${VERSION}. ` +
        'Update Sartor, or convert the base again.',
      'other-version',
    );
  }
  if (requires.length > 0) {
    throw new NotPersonalizableError(
      `the model requires ${requires.join(', ')}, which LiteRT.js does not support: use a base ` +
        'without recurrent layers, or the library for Python.',
    );
  }
}
