/** The copy of a model that training uses. */

import { MASK, type Manifest, TEMPERATURE } from '../../../../contract/generated/contract.js';
import { ClassWeights } from '../classes.js';
import { Batch, evaluateBatches } from '../data/batches.js';
import { type Dataset, trainingDataset } from '../data/dataset.js';
import type { Matrix } from '../data/matrix.js';
import type { Engine, Variables } from '../litert/engine.js';
import { distinct, indicesOf, range } from '../numbers.js';
import type { SampleSet } from '../store/sample_set.js';
import type { TrainingData } from './data.js';
import { addPrototypes } from './rehearsal.js';

/** A second copy of the model, which only training uses. */
export class TrainingModel {
  /** Sets the weights of classes in `engine`. */
  readonly classWeights: ClassWeights;
  readonly #batch: Batch;

  /**
   * @param engine - engine that holds the copy.
   * @param manifest - manifest of the file.
   * @param initial - name → initial value of each variable in the file.
   */
  private constructor(
    readonly engine: Engine,
    readonly manifest: Manifest,
    readonly initial: Variables,
  ) {
    this.classWeights = new ClassWeights(engine, manifest);
    this.#batch = new Batch(manifest);
  }

  /** Create a training model on an engine of its own. */
  static async create(engine: Engine, manifest: Manifest): Promise<TrainingModel> {
    return new TrainingModel(engine, manifest, await engine.initialVariables());
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
   * @param data - the weights in use, and whether the training continues from them.
   * @param samples - training samples.
   * @param mixed - some of them, of all classes, at most B rows.
   */
  async start(data: TrainingData, samples: Dataset, mixed: Dataset): Promise<void> {
    if (data.isWarm) {
      await this.engine.restore(data.variables);
    } else {
      await this.#startFromScratch(data, samples, mixed);
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

  /**
   * Reset the model, set its normalization from mixed samples, and imprint each class.
   *
   * Continuing from old weights while samples come in costs up to three points of accuracy.
   */
  async #startFromScratch(data: TrainingData, samples: Dataset, mixed: Dataset): Promise<void> {
    // a baked file has the temperature of its training, which is not that of this one
    await this.engine.restore({ ...this.initial, [TEMPERATURE]: Float32Array.of(1) });
    await this.classWeights.setNormalization(mixed.features);
    // a baked file has classes that may have been removed since
    const inFile = indicesOf(this.initial[MASK] as Float32Array, (each) => each > 0);
    for (const index of distinct([...inFile, ...data.classIndices.values()])) {
      await this.classWeights.clear(index);
    }
    for (const index of data.classIndices.values()) {
      const rows = rowsOfClass(this.manifest, samples, index);
      if (rows.length > 0) {
        await this.classWeights.imprint(
          index,
          samples.features.map((each) => each.take(rows)),
        );
      }
    }
  }
}

/** Return the first B rows with a target above 0 for a class, or with any for a regression. */
function rowsOfClass(manifest: Manifest, samples: Dataset, index: number): number[] {
  const matrix = manifest.task === 'regression' ? samples.weights : samples.targets;
  const rows = range(samples.rows).filter((row) => matrix.at(row, index) > 0);
  return rows.slice(0, manifest.batch_size);
}
