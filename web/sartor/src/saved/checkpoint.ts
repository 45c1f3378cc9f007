/** Checkpoints: safetensors files with the state of a trained model. */

import {
  APP_PREFIX,
  type CheckpointHeader,
  type Fingerprints,
  HEADER_KEY,
  OOD_PREFIX,
  VERSION,
} from '../../../../contract/generated/contract.js';
import type { Bytes } from '../contract/bytes.js';
import { areClassKeys } from '../contract/consistency.js';
import { checkpointDigest } from '../contract/digest.js';
import { Fields } from '../contract/fields.js';
import { parseFingerprints } from '../contract/parsing.js';
import {
  type FloatTensor,
  readSafetensors,
  SafetensorsError,
  writeSafetensors,
} from '../contract/safetensors.js';
import { CheckpointError } from '../errors.js';

const DAMAGED = 'Use another copy, or train again.';

/** Name → tensor. */
export type FloatTensors = ReadonlyMap<string, FloatTensor>;

/** The content of a checkpoint. */
export interface Checkpoint {
  /** Class name of each class index, C in all; null for a free one. */
  readonly classes: readonly (string | null)[];
  /** Key of each class index; null for a free one. */
  readonly classKeys: readonly (string | null)[];
  /** Fingerprints of the model that it was saved from. */
  readonly fingerprints: Fingerprints;
  /** The variables, as the signature `save` returns them. */
  readonly variables: FloatTensors;
  /** Names of the classes that were imprinted and not trained. */
  readonly imprinted: readonly string[];
  /** Number of samples added before it was saved. */
  readonly samplesSeen: number;
  /** OOD score below which an input is "none of these"; null without a detector. */
  readonly oodThreshold: number | null;
  /** Tensors of the OOD detector; names start with `ood/`. */
  readonly ood: FloatTensors;
  /** Tensors of the app; names start with `app/`. Sartor does not change them. */
  readonly app: FloatTensors;
}

/**
 * Return a checkpoint as the content of a file.
 *
 * @throws CheckpointError if a variable is not finite.
 */
export async function writeCheckpoint(checkpoint: Checkpoint): Promise<Bytes> {
  checkFinite('the checkpoint', checkpoint.variables);
  const own = new Map([...checkpoint.variables, ...checkpoint.ood]);
  const header: CheckpointHeader = {
    contract: VERSION,
    fingerprints: checkpoint.fingerprints,
    classes: checkpoint.classes,
    class_keys: checkpoint.classKeys,
    imprinted: checkpoint.imprinted,
    samples_seen: checkpoint.samplesSeen,
    ood_threshold: checkpoint.oodThreshold,
    digest: await digestOf(own, checkpoint.classes, checkpoint.classKeys),
  };
  return writeSafetensors({
    tensors: new Map([...own, ...checkpoint.app]),
    metadata: { [HEADER_KEY]: JSON.stringify(header) },
  });
}

/**
 * Read a checkpoint; see `adapt` for loading it into a model.
 *
 * @param content - content of the file.
 * @param name - name of the file, for messages.
 * @throws CheckpointError if the file is not a checkpoint, is damaged, belongs to another version of
 *   the contract, or has a value that is not finite.
 */
export async function readCheckpoint(content: Bytes, name: string): Promise<Checkpoint> {
  const { tensors, text } = parse(content, name);
  const fields = Fields.parse(text, `${name}: its header`, CheckpointError);
  const version = fields.integer('contract');
  if (version !== VERSION) {
    throw new CheckpointError(
      `${name} has contract version ${version}, expected ${VERSION}: another version of Sartor ` +
        'wrote it. Update Sartor.',
      'other-version',
    );
  }
  const checkpoint: Checkpoint = {
    classes: fields.names('classes'),
    classKeys: fields.names('class_keys'),
    fingerprints: parseFingerprints(fields.object('fingerprints')),
    imprinted: fields.strings('imprinted'),
    samplesSeen: fields.integer('samples_seen', 0),
    oodThreshold: fields.optionalNumber('ood_threshold'),
    variables: select(tensors, (key) => !isOod(key) && !isApp(key)),
    ood: select(tensors, isOod),
    app: select(tensors, isApp),
  };
  checkClasses(name, checkpoint);
  const own = select(tensors, (key) => !isApp(key));
  checkFinite(name, own);
  const digest = await digestOf(own, checkpoint.classes, checkpoint.classKeys);
  if (fields.string('digest') !== digest) {
    throw new CheckpointError(`${name} is damaged: its digest is that of other values. ${DAMAGED}`);
  }
  return checkpoint;
}

function parse(content: Bytes, name: string): { tensors: FloatTensors; text: string } {
  try {
    const { tensors, metadata } = readSafetensors(content);
    const text = metadata[HEADER_KEY];
    if (typeof text !== 'string') {
      throw new CheckpointError(
        `${name} is a safetensors file, but not a checkpoint of Sartor: its header has no ` +
          `'${HEADER_KEY}'. Give a file from saveCheckpoint, or from \`sartor fit\`.`,
      );
    }
    return { tensors, text };
  } catch (error) {
    if (error instanceof SafetensorsError) {
      throw new CheckpointError(
        `${name} is not a checkpoint, or is damaged: ${error.message}. ${DAMAGED}`,
      );
    }
    throw error;
  }
}

function digestOf(
  tensors: FloatTensors,
  classes: readonly (string | null)[],
  keys: readonly (string | null)[],
): Promise<string> {
  const values = new Map([...tensors].map(([name, { data }]) => [name, data]));
  return checkpointDigest(values, classes, keys);
}

function select(tensors: FloatTensors, condition: (name: string) => boolean): FloatTensors {
  return new Map([...tensors].filter(([name]) => condition(name)));
}

function isOod(name: string): boolean {
  return name.startsWith(OOD_PREFIX);
}

function isApp(name: string): boolean {
  return name.startsWith(APP_PREFIX);
}

function checkClasses(name: string, { classes, classKeys }: Checkpoint): void {
  const names = classes.filter((each) => each !== null);
  if (classes.length === 0 || new Set(names).size !== names.length || names.includes('')) {
    throw new CheckpointError(
      `${name}: class names must be unique and not empty, got ${JSON.stringify(names)}`,
    );
  }
  if (!areClassKeys(classKeys, classes)) {
    throw new CheckpointError(`${name}: each class needs a key of its own. ${DAMAGED}`);
  }
}

function checkFinite(name: string, tensors: FloatTensors): void {
  for (const [key, { data }] of tensors) {
    if (!data.every(Number.isFinite)) {
      throw new CheckpointError(`${name}: ${key} has values that are not finite. ${DAMAGED}`);
    }
  }
}
