/** The samples of one training, and the weights that it starts from. */

import { IMAGE, type Manifest } from '../../../../contract/generated/contract.js';
import { assignFolds } from '../confidence/folds.js';
import { groupNearDuplicates, withinClassFraction } from '../confidence/groups.js';
import type { OODDetector } from '../confidence/out_of_distribution.js';
import type { ClassIndices } from '../data/dataset.js';
import { DataError } from '../errors.js';
import type { Variables } from '../litert/engine.js';
import { indicesOf } from '../numbers.js';
import { type SampleSet, takeSamples } from '../store/sample_set.js';
import { inMemory } from '../store/stored_features.js';
import { onlyMeasures, type TrainingConfig } from './config.js';

const UNIFORM = 0.2; // of the mean squared distance; one burst per class: 0.1, different photos: 0.8

/** The state of a model at the start of a training. */
export interface ModelSnapshot {
  /** Class name → class index, of all classes by rising index. */
  readonly classIndices: ClassIndices;
  /** The weights in use. */
  readonly variables: Variables;
  /** OOD detector in use. */
  readonly detector: OODDetector | undefined;
  /** Names of the classes whose weights are all zero. */
  readonly untrained: ReadonlySet<string>;
}

/** The samples of one training, and the weights that it starts from. */
export interface TrainingData {
  /** Training samples, at least one. */
  readonly samples: SampleSet;
  /** Samples for early stopping; undefined disables it. */
  readonly heldOut: SampleSet | undefined;
  /** Class name → class index, of all classes by rising index. */
  readonly classIndices: ClassIndices;
  /** The weights in use. */
  readonly variables: Variables;
  /** OOD detector in use. */
  readonly detector: OODDetector | undefined;
  /**
   * Whether training continues from `variables`. Otherwise it starts from scratch, and a
   * cross-validation follows.
   */
  readonly isWarm: boolean;
  /** Names of the classes that have weights but no samples. */
  readonly absent: readonly string[];
}

/**
 * Create the data of a training.
 *
 * Training continues from the weights in use if a class has weights but no samples (a checkpoint
 * brought it): without its samples it cannot be trained from scratch.
 *
 * @param manifest - manifest of the model.
 * @param config - options of the training.
 * @param model - the model at the start.
 * @param samples - all training samples.
 * @param heldOut - all held-out samples; there may be none.
 * @throws DataError if there are no training samples, or none for early stopping.
 */
export async function createTrainingData(
  manifest: Manifest,
  config: TrainingConfig,
  model: ModelSnapshot,
  samples: SampleSet,
  heldOut: SampleSet,
): Promise<TrainingData> {
  if (samples.samples.length === 0) {
    throw new DataError(
      heldOut.samples.length > 0
        ? 'all samples are held out: add training samples with addSample first'
        : 'there are no training samples: add samples with addSample first',
    );
  }
  const { classIndices, variables, detector, untrained } = model;
  const withSamples = new Set([samples, heldOut].flatMap((each) => namesIn(manifest, each)));
  const absent = [...classIndices.keys()].filter(
    (name) => !withSamples.has(name) && !untrained.has(name),
  );
  const isWarm = config.warmStart || onlyMeasures(config) || absent.length > 0;
  const parts = await selectParts(config, samples, heldOut, classIndices);
  return { ...parts, classIndices, variables, detector, isWarm, absent };
}

/** Return the data with some of the samples, and without early stopping. */
export function partOf(data: TrainingData, rows: readonly number[]): TrainingData {
  return { ...data, samples: takeSamples(data.samples, rows), heldOut: undefined };
}

/** Return the group of each row of the samples, [N]; see `groupNearDuplicates`. */
export function groupsOf(samples: SampleSet, classIndices: ClassIndices): Promise<number[]> {
  const classes = classesOfRows(samples, classIndices);
  return groupNearDuplicates(inMemory(samples.features), classes, samples.samples);
}

/** Return whether the photos of each class are as alike as those of one burst. */
export function isUniform(manifest: Manifest, data: TrainingData): boolean {
  if (manifest.task !== 'classification' || manifest.inputs[0]?.modality !== IMAGE) {
    return false; // classes of numbers may be well separated
  }
  const classes = classesOfRows(data.samples, data.classIndices);
  const { features, samples } = data.samples;
  return withinClassFraction(inMemory(features), classes, samples) < UNIFORM;
}

/** Return the samples to train on and those for early stopping: a third of each class. */
async function selectParts(
  config: TrainingConfig,
  samples: SampleSet,
  heldOut: SampleSet,
  classIndices: ClassIndices,
): Promise<Pick<TrainingData, 'samples' | 'heldOut'>> {
  if (config.patience === undefined) {
    return { samples, heldOut: undefined };
  }
  if (heldOut.samples.length > 0) {
    return { samples, heldOut };
  }
  const classes = classesOfRows(samples, classIndices);
  const folds = assignFolds(classes, await groupsOf(samples, classIndices), config.seed);
  const rows = indicesOf(folds, (fold) => fold === 0);
  if (rows.length === 0) {
    throw new DataError(
      'patience needs held-out samples: add a second sample of a class that is not a ' +
        'near-duplicate of the first, or held-out samples',
    );
  }
  const others = indicesOf(folds, (fold) => fold !== 0);
  return { samples: takeSamples(samples, others), heldOut: takeSamples(samples, rows) };
}

/** Return the class index of the largest target of each row; of equal ones, the lowest. */
function classesOfRows(samples: SampleSet, classIndices: ClassIndices): number[] {
  const { targets, classes } = samples;
  const columns = classes
    .map((name, column) => ({ column, index: classIndices.get(name) as number }))
    .sort((a, b) => a.index - b.index);
  return samples.samples.map((_, row) => {
    const values = columns.map(({ column }) => targets.at(row, column) || 0);
    return columns[values.indexOf(Math.max(...values))]?.index ?? 0;
  });
}

/** Return the names of the classes with samples: a target above 0, or any for a regression. */
function namesIn(manifest: Manifest, { targets, classes }: SampleSet): string[] {
  const belongs = (target: number) => {
    return target > 0 || (manifest.task === 'regression' && !Number.isNaN(target));
  };
  return classes.filter((_, column) => {
    return targets.data.some((target, i) => i % targets.columns === column && belongs(target));
  });
}
