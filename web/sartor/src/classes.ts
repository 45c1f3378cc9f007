/** The weights of single classes in a model: imprinted, cleared, inspected. */

import {
  ACTIVE,
  CENTER,
  CLASS_ONE_HOT,
  type Manifest,
  PARAMETER,
  SCALE,
  type VariableSpec,
} from '../../../contract/generated/contract.js';
import { Batch, volume } from './data/batches.js';
import { concatenate, Matrix } from './data/matrix.js';
import type { Engine } from './litert/engine.js';
import { range } from './numbers.js';

/** Sets the weights of single classes, with the signature `set_class`. */
export class ClassWeights {
  readonly #batch: Batch;

  /**
   * @param engine - engine that holds the model.
   * @param manifest - manifest of the model file.
   */
  constructor(
    private readonly engine: Engine,
    private readonly manifest: Manifest,
  ) {
    this.#batch = new Batch(manifest);
  }

  /**
   * Compute the weights of a class from features of its samples.
   *
   * @param index - class index.
   * @param features - rows of each features tensor. The first B rows count.
   */
  async imprint(index: number, features: readonly Matrix[]): Promise<void> {
    const size = this.manifest.batch_size;
    await this.#setClass(
      index,
      features.map((rows) => rows.first(Math.min(size, rows.rows))),
      1,
    );
  }

  /**
   * Compute the normalization statistics of the head from samples of all classes.
   *
   * @param features - at most B rows of each features tensor.
   */
  async setNormalization(features: readonly Matrix[]): Promise<void> {
    await this.#setClass(undefined, features, 1);
  }

  /**
   * Return features as the first layer of the head sees them, flat, in float64.
   *
   * @param features - rows of each features tensor.
   */
  async normalize(features: readonly Matrix[]): Promise<Float64Array[]> {
    const { [CENTER]: center, [SCALE]: scale } = await this.engine.variables();
    const rows = concatenate(features);
    return range(rows.rows).map((row) => {
      const values = Float64Array.from(rows.row(row));
      if (center === undefined) {
        return values;
      }
      const factor = scale?.[0] ?? 1;
      return values.map((value, i) => factor * (value - (center[i] ?? 0)));
    });
  }

  /** Zero the weights and the optimizer state of a class, and mask it. */
  async clear(index: number): Promise<void> {
    const none = this.manifest.features.map(({ shape }) => Matrix.filled(1, volume(shape)));
    await this.#setClass(index, none, 0);
  }

  /** Return whether all weights of each class are zero, [C]. */
  async areZero(): Promise<boolean[]> {
    const variables = await this.engine.variables();
    const zero = this.manifest.classes.map(() => true);
    for (const spec of this.manifest.variables) {
      if (spec.role === PARAMETER && spec.class_axis !== null) {
        for (const index of classesWithValues(spec, variables[spec.name] as Float32Array)) {
          zero[index] = false;
        }
      }
    }
    return zero;
  }

  async #setClass(index: number | undefined, features: readonly Matrix[], active: 0 | 1) {
    const oneHot = new Float32Array(this.manifest.classes.length);
    if (index !== undefined) {
      oneHot[index] = 1;
    }
    await this.engine.run('set_class', {
      ...this.#batch.classInputs(features),
      [CLASS_ONE_HOT]: oneHot,
      [ACTIVE]: Float32Array.of(active),
    });
  }
}

/** Return the class indices with a value other than 0 in a variable with a class axis. */
function classesWithValues({ shape, class_axis }: VariableSpec, values: Float32Array): Set<number> {
  const axis = class_axis ?? 0;
  const stride = volume(shape.slice(axis + 1)); // between two classes
  const indices = new Set<number>();
  values.forEach((value, i) => {
    if (value !== 0) {
      indices.add(Math.floor(i / stride) % (shape[axis] as number));
    }
  });
  return indices;
}
