/** A model in JavaScript that follows the contract: a softmax of two features, for tests in Node. */

import type { Manifest, SignatureKey } from '../../../contract/generated/contract.js';
import { volume } from '../src/data/batches.js';
import { Matrix } from '../src/data/matrix.js';
import type { Engine, Tensors, Variables } from '../src/litert/engine.js';
import { range } from '../src/numbers.js';
import type { SampleSet } from '../src/store/sample_set.js';
import { classIndices, manifestOf } from './recipe/inputs.js';

const FEATURES = 2;
const BATCH = 4;

/** Return the manifest of the model. */
export function toyManifest(capacity = 3): Manifest {
  const variable = { parameter: null, rate: null, offset: 0 } as const;
  return manifestOf('classification', capacity, {
    features: [
      { name: 'features', shape: [FEATURES], dtype: 'float32', scale: null, zero_point: null },
    ],
    batch_size: BATCH,
    head: { name: 'toy', settings: {}, feature_norm: 3 },
    loss: { name: 'cross_entropy', settings: {}, curvature: 0.5 },
    variables: [
      { ...variable, name: 'class_mask', shape: [capacity], role: 'mask', class_axis: 0 },
      { ...variable, name: 'temperature', shape: [1], role: 'temperature', class_axis: null },
      { ...variable, name: 'weight_decay', shape: [1], role: 'weight_decay', class_axis: null },
      {
        ...variable,
        name: 'head/weights',
        shape: [capacity, FEATURES],
        role: 'parameter',
        class_axis: 0,
      },
    ],
  });
}

/** The engine of the model; `calls` counts the calls of each signature. */
export class ToyEngine implements Engine {
  readonly calls = new Map<SignatureKey, number>();
  /** Learning rate of each training step. */
  readonly rates: number[] = [];
  /** Learning rate above which the loss is not finite. */
  limit = Number.POSITIVE_INFINITY;
  #variables: Record<string, Float32Array>;

  /**
   * @param manifest - manifest of the model.
   * @param initial - nonzero initial values. The initial temperature is 1.
   */
  constructor(
    readonly manifest = toyManifest(),
    private readonly initial: Variables = {},
  ) {
    this.#variables = this.#initialVariables();
  }

  async run(key: SignatureKey, inputs: Tensors): Promise<Record<string, Float32Array>> {
    this.calls.set(key, (this.calls.get(key) ?? 0) + 1);
    const values = inputs as Readonly<Record<string, Float32Array>>;
    if (key === 'save') {
      return Object.fromEntries(Object.entries(this.#variables).map(([n, v]) => [n, v.slice()]));
    }
    if (key === 'restore') {
      this.#variables = Object.fromEntries(Object.entries(values).map(([n, v]) => [n, v.slice()]));
    } else if (key === 'initialize') {
      this.#variables = this.#initialVariables();
    } else if (key === 'set_class') {
      this.#setClass(values);
    } else {
      return this.#evaluate(values, key === 'train');
    }
    return { done: Float32Array.of(1) };
  }

  variables() {
    return this.run('save', { run: Float32Array.of(1) });
  }

  async restore(variables: Variables) {
    await this.run('restore', variables);
  }

  initialVariables() {
    return Promise.resolve(this.#initialVariables());
  }

  async copy() {
    return new ToyEngine(this.manifest, this.initial);
  }

  close() {}

  #initialVariables(): Record<string, Float32Array> {
    const zeros = this.manifest.variables.map(({ name, shape }) => {
      return [name, new Float32Array(volume(shape))] as const;
    });
    return { ...Object.fromEntries(zeros), temperature: Float32Array.of(1), ...this.initial };
  }

  get #weights(): Matrix {
    return new Matrix(this.#variables['head/weights'] as Float32Array, FEATURES);
  }

  #setClass(inputs: Readonly<Record<string, Float32Array>>) {
    const index = inputs.class_one_hot?.indexOf(1) ?? -1;
    if (index < 0) {
      return;
    }
    const active = inputs.active?.[0] as number;
    (this.#variables.class_mask as Float32Array)[index] = active;
    const rows = new Matrix(inputs.features as Float32Array, FEATURES);
    const total = Math.max(
      1,
      (inputs.sample_weights as Float32Array).reduce((a, b) => a + b),
    );
    for (const column of range(FEATURES)) {
      const values = range(BATCH).map((row) => rows.at(row, column));
      this.#weights.row(index)[column] = (active * values.reduce((a, b) => a + b)) / total / 4;
    }
  }

  #evaluate(inputs: Readonly<Record<string, Float32Array>>, isTraining: boolean) {
    const capacity = this.manifest.classes.length;
    const [mask, decay] = [this.#variables.class_mask, this.#variables.weight_decay?.[0] ?? 0];
    const x = new Matrix(inputs.features as Float32Array, FEATURES);
    const y = new Matrix(inputs.labels as Float32Array, capacity);
    const output = Matrix.filled(BATCH, capacity);
    const total = Math.max(
      1e-6,
      (inputs.sample_weights as Float32Array).reduce((a, b) => a + b),
    );
    const gradient = Matrix.filled(capacity, FEATURES);
    let loss = 0;
    for (const row of range(BATCH)) {
      const powers = range(capacity).map((c) => {
        const z = range(FEATURES).reduce((s, i) => s + this.#weights.at(c, i) * x.at(row, i), 0);
        return mask?.[c]
          ? Math.exp(z / (isTraining ? 1 : (this.#variables.temperature?.[0] ?? 1)))
          : 0;
      });
      const sum = powers.reduce((a, b) => a + b);
      const weight = (inputs.sample_weights?.[row] as number) / total;
      for (const c of range(capacity)) {
        const p = (powers[c] as number) / sum;
        output.row(row)[c] = p;
        loss -= weight && y.at(row, c) ? weight * y.at(row, c) * Math.log(p) : 0;
        for (const i of range(FEATURES)) {
          const g = gradient.row(c);
          g[i] = (g[i] as number) + weight * (p - y.at(row, c)) * x.at(row, i);
        }
      }
    }
    if (isTraining) {
      const rate = inputs.learning_rate?.[0] as number;
      this.rates.push(rate);
      loss = rate > this.limit ? Number.NaN : loss;
      this.#weights.data.forEach((w, i) => {
        this.#weights.data[i] = w - rate * ((gradient.data[i] as number) + decay * w);
      });
    }
    return { loss: Float32Array.of(loss), output: output.data };
  }
}

/** Return samples of two classes on both sides of a line, each at its own place. */
export function toySamples(count: number): SampleSet {
  const rows = range(2 * count);
  const angle = (row: number) => (row % 2) * 2 + 0.9 * Math.sin(7 * row);
  const targets = rows.flatMap((row) => (row % 2 ? [Number.NaN, 1] : [1, Number.NaN]));
  return {
    features: [
      new Matrix(
        Float32Array.from(
          rows.flatMap((row) => [3 * Math.cos(angle(row)), 3 * Math.sin(angle(row))]),
        ),
        FEATURES,
      ),
    ],
    samples: rows,
    targets: new Matrix(Float32Array.from(targets), 2),
    classes: [...classIndices(2).keys()],
  };
}
