/** The options of a training. */

import type { Manifest } from '../../../../contract/generated/contract.js';
import { DataError } from '../errors.js';
import { DECAYS, type Decay } from './schedule.js';

const DEPTHS = ['auto', 'head', 'layers'] as const;

/** What a training trains. */
export type Depth = (typeof DEPTHS)[number];

/** The options of a training, as an app states them. */
export interface TrainingOptions {
  /** Number of epochs. Default: depends on the number of samples. */
  readonly epochs?: number | undefined;
  /** Time limit of the whole training, in seconds; see `secondsOfPart`. Default: none. */
  readonly seconds?: number | undefined;
  /**
   * Number of epochs without improvement on held-out samples that ends the training. The best
   * weights are kept. Without held-out samples, a third of each class is held out for this
   * training. Default: no early stopping.
   */
  readonly patience?: number | undefined;
  /** Learning rate of the first step. Default: depends on the features. */
  readonly learningRate?: number | undefined;
  /**
   * Weight decay. Default: cross-validation chooses it, unless `epochs`, `seconds` or `patience`
   * limit the training.
   */
  readonly weightDecay?: number | undefined;
  /** Decay of the learning rate: `cosine`, `linear` or `constant`. Default: `cosine`. */
  readonly decay?: Decay | undefined;
  /** Whether to continue from the present weights. Default: false. */
  readonly warmStart?: boolean | undefined;
  /**
   * What to train: `head`, or `layers` for the tuned layers too (a file that was converted with
   * `--fine-tune`). Default: `auto`, the layers if held-out samples gain.
   */
  readonly depth?: Depth | undefined;
  /** Random seed. The same seed gives the same weights if `seconds` is not set. Default: 0. */
  readonly seed?: number | undefined;
}

/** The complete options of a training. */
export interface TrainingConfig extends TrainingOptions {
  readonly decay: Decay;
  readonly warmStart: boolean;
  readonly seed: number;
  readonly depth: Depth;
}

/** Kind of an option → its condition, and its description in an error. */
const KINDS = {
  count: [(value: unknown) => isInteger(value) && value >= 1, 'a whole number, at least 1'],
  seed: [(value: unknown) => isInteger(value) && value >= 0, 'a whole number, at least 0'],
  time: [(value: unknown) => isFiniteNumber(value) && value > 0, 'a finite number above 0'],
  size: [(value: unknown) => isFiniteNumber(value) && value >= 0, 'a finite number, at least 0'],
  flag: [(value: unknown) => typeof value === 'boolean', 'true or false'],
  decay: [
    (value: unknown) => typeof value === 'string' && Object.hasOwn(DECAYS, value),
    `one of ${Object.keys(DECAYS).join(', ')}`,
  ],
  depth: [(value: unknown) => DEPTHS.some((each) => each === value), `one of ${DEPTHS.join(', ')}`],
} as const;

const OPTIONS: Readonly<Record<keyof TrainingOptions, keyof typeof KINDS>> = {
  epochs: 'count',
  seconds: 'time',
  patience: 'count',
  learningRate: 'size',
  weightDecay: 'size',
  decay: 'decay',
  warmStart: 'flag',
  depth: 'depth',
  seed: 'seed',
};

/**
 * Return options with the default values.
 *
 * @throws DataError if an option is unknown or out of range.
 */
export function trainingConfig(options: TrainingOptions = {}): TrainingConfig {
  for (const [name, value] of Object.entries(options)) {
    const kind = OPTIONS[name as keyof TrainingOptions];
    if (!Object.hasOwn(OPTIONS, name)) {
      const names = Object.keys(OPTIONS).join(', ');
      throw new DataError(`a training has no option ${name}; its options: ${names}`);
    }
    const [isValid, description] = KINDS[kind];
    if (value !== undefined && !isValid(value)) {
      throw new DataError(`${name} must be ${description}; got ${JSON.stringify(value)}`);
    }
  }
  const { decay = 'cosine', warmStart = false, seed = 0, depth = 'auto' } = options;
  return { ...options, decay, warmStart, seed, depth };
}

/** Return whether an option limits the length of a training. */
export function isLimited({ epochs, seconds, patience }: TrainingConfig): boolean {
  return [epochs, seconds, patience].some((limit) => limit !== undefined);
}

/**
 * Return the time limit of each part of a training, which share `seconds` equally.
 *
 * The parts are the training of the head and its cross-validation; with tuned layers, also their
 * training without a fold, and on all samples. A regression and a warm start have no
 * cross-validation, and a warm start does not train the layers.
 */
export function secondsOfPart(config: TrainingConfig, manifest: Manifest): number | undefined {
  const isWarm = config.warmStart || onlyMeasures(config);
  const trainsLayers = manifest.layers !== null && config.depth !== 'head' && !isWarm;
  const ofHead = isWarm || manifest.task === 'regression' ? 1 : 2;
  return config.seconds && config.seconds / (trainsLayers ? 2 * ofHead : ofHead);
}

/** Return whether a training leaves all weights unchanged. */
export function onlyMeasures(config: TrainingConfig): boolean {
  return config.learningRate === 0;
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
