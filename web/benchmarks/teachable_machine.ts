/** The method of Teachable Machine: a dense head on stored features, in TensorFlow.js. */

import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

/** Samples as features. */
export interface Features {
  readonly rows: readonly Float32Array[];
  /** Class index of each row. */
  readonly labels: readonly number[];
}

const UNITS = 100;
const EPOCHS = 50;
const BATCH = 16;
const RATE = 1e-3;

/** Select a backend; return whether it is available. */
export async function useBackend(name: string): Promise<boolean> {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false); // its threads fail in a minified build
  setWasmPaths(new URL('tfjs/', document.baseURI).href);
  try {
    return (await tf.setBackend(name)) && tf.getBackend() === name;
  } catch {
    return false;
  }
}

/** Train a head; return the time in ms, and the accuracy on other samples. */
export async function train(training: Features, test: Features, classes: number) {
  const start = performance.now();
  const size = training.rows[0]?.length as number;
  const head = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [size],
        units: UNITS,
        activation: 'relu',
        kernelInitializer: 'varianceScaling',
      }),
      tf.layers.dense({
        units: classes,
        activation: 'softmax',
        kernelInitializer: 'varianceScaling',
        useBias: false,
      }),
    ],
  });
  head.compile({
    optimizer: tf.train.adam(RATE),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  const [x, y] = [matrix(training.rows), tf.oneHot([...training.labels], classes)];
  await head.fit(x, y, { epochs: EPOCHS, batchSize: BATCH, shuffle: true, verbose: 0 });
  const time = performance.now() - start;
  const output = head.predict(matrix(test.rows)) as tf.Tensor;
  const best = await output.argMax(1).data();
  tf.disposeVariables();
  return {
    time,
    accuracy: test.labels.filter((label, i) => best[i] === label).length / best.length,
  };
}

function matrix(rows: readonly Float32Array[]): tf.Tensor2D {
  const size = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * size);
  rows.forEach((row, i) => {
    values.set(row, i * size);
  });
  return tf.tensor2d(values, [rows.length, size]);
}
