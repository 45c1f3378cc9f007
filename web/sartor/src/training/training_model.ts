/** The copy of a model that training uses. */

import { MASK, type Manifest, RUN, TEMPERATURE } from '../../../../contract/generated/contract.js';
import { ClassWeights } from '../classes.js';
import { Batch, evaluateBatches } from '../data/batches.js';
import { type Dataset, trainingDataset } from '../data/dataset.js';
import type { Matrix } from '../data/matrix.js';
import type { Engine, Variables } from '../litert/engine.js';
import { indicesOf, range } from '../numbers.js';
import type { SampleSet } from '../store/sample_set.js';
import { inMemory, takeRows } from '../store/stored_features.js';
import type { TrainingData } from './data.js';
import { addPrototypes } from './rehearsal.js';

/** A second copy of the model, which only training uses. */
export class TrainingModel {
  /** Sets the weights of classes in `engine`. */
  readonly classWeights: ClassWeights;
  /** The initial variables without classes: a file may have trained ones. */
  untrained: Variables = {};
  readonly #batch: Batch;

  private constructor(
    readonly engine: Engine,
    readonly manifest: Manifest,
  ) {
    this.classWeights = new ClassWeights(engine, manifest);
    this.#batch = new Batch(manifest);
  }

  /** Create a training model on an engine of its own. */
  static async create(engine: Engine, manifest: Manifest): Promise<TrainingModel> {
    const model = new TrainingModel(engine, manifest);
    model.untrained = await model.#untrainedVariables();
    return model;
  }

  /** Return samples as a data set of the model. */
  dataset(data: TrainingData, samples: SampleSet): Dataset {
    return trainingDataset(this.manifest, samples, data.classIndices);
  }

  /** Return the training samples, and prototypes for the classes that have none. */
  trainingSamples(data: TrainingData): Dataset {
    const samples = this.dataset(data, data.samples);
    if (data.absent.length === 0 || data.detector === undefined) {
      return samples;
    }
    const absent = data.absent.map((name) => data.classIndices.get(name) as number);
    return addPrototypes(samples, data.detector, absent);
  }

  /** Return the mean loss and the outputs [N, C] of samples. */
  evaluate(samples: Dataset): Promise<{ loss: number; outputs: Matrix }> {
    return evaluateBatches(this.engine, this.#batch, samples);
  }

  /**
   * Set the weights that a training starts from.
   *
   * Continuing from old weights while samples come in costs up to three points of accuracy, so all
   * classes are imprinted, unless the training is a warm start.
   *
   * @param data - the weights in use, and whether the training continues from them.
   * @param samples - training samples.
   * @param mixed - some of them, of all classes, at most B rows.
   */
  async start(data: TrainingData, samples: Dataset, mixed: Dataset): Promise<void> {
    await this.normalize(data, mixed);
    if (data.isWarm) {
      return;
    }
    for (const index of data.classIndices.values()) {
      const rows = rowsOfClass(this.manifest, samples, index);
      if (rows.length > 0) {
        await this.classWeights.imprint(index, inMemory(takeRows(samples.features, rows)));
      }
    }
  }

  /**
   * Remove all classes and compute the normalization statistics, unless it is a warm start.
   *
   * @param data - the weights in use, and whether the training continues from them.
   * @param mixed - samples of all classes, at most B rows.
   */
  async normalize(data: TrainingData, mixed: Dataset): Promise<void> {
    await this.engine.restore(data.isWarm ? data.variables : this.untrained);
    if (!data.isWarm) {
      await this.classWeights.setNormalization(inMemory(mixed.features));
    }
  }

  /** Return the present weights, with the temperature before the training. */
  async variables(data: TrainingData): Promise<Variables> {
    const temperature = data.variables[TEMPERATURE] as Float32Array;
    return { ...(await this.engine.variables()), [TEMPERATURE]: temperature };
  }

  /** Release the memory. */
  close(): void {
    this.engine.close();
  }

  async #untrainedVariables(): Promise<Variables> {
    await this.engine.run('initialize', { [RUN]: Float32Array.of(1) });
    for (const index of indicesOf(await this.classWeights.areZero(), (isZero) => !isZero)) {
      await this.classWeights.clear(index);
    }
    return {
      ...(await this.engine.variables()),
      [MASK]: new Float32Array(this.manifest.classes.length),
      [TEMPERATURE]: Float32Array.of(1),
    };
  }
}

/** Return the first B rows with a target above 0 for a class, or with any for a regression. */
function rowsOfClass(manifest: Manifest, samples: Dataset, index: number): number[] {
  const matrix = manifest.task === 'regression' ? samples.weights : samples.targets;
  const rows = range(samples.rows).filter((row) => matrix.at(row, index) > 0);
  return rows.slice(0, manifest.batch_size);
}
